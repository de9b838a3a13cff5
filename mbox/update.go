package mbox

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// refresh makes the box show what is on disk, at the price of a stat if nothing has
// changed.
func (b *box) refresh(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if current, err := b.isCurrent(); current || err != nil {
		return err
	}
	for _, write := range []bool{false, true} {
		h, err := b.lock(ctx, write)
		if err != nil {
			return err
		}
		err = h.update(ctx)
		h.unlock()
		if !errors.Is(err, errNeedWrite) {
			return err
		}
	}
	return nil
}

// refreshAll is refresh for who opens the mailbox: also what others may have changed
// unseen is looked at.
func (b *box) refreshAll(ctx context.Context) error {
	b.distrust()
	return b.refresh(ctx)
}

// distrust has the next look be at all messages, if the last was not.
func (b *box) distrust() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known.partial {
		b.known.settled, b.whole = false, true
	}
}

func (b *box) isCurrent() (bool, error) {
	b.mu.Lock()
	path, gone, loaded, known := b.path, b.gone, b.loaded, b.known
	b.mu.Unlock()
	if gone {
		return false, mailparts.ErrNoMailbox
	}
	if !loaded {
		return false, nil
	}
	fi, err := b.fsys.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return known.is(nil), nil
	}
	return err == nil && known.is(fi), nil
}

// update brings the box up to date, and gives UIDs to messages that others have
// left, for which the lock must be one for writing: errNeedWrite.
func (h *held) update(ctx context.Context) error {
	if h.loaded && h.known.is(h.fi) && h.known.edits == h.j.edits {
		return nil
	}
	done, err := h.loadIndex()
	if done || err != nil {
		return err
	}
	u := update{held: h, ctx: ctx}
	start, err := u.begin()
	if err != nil {
		return err
	}
	if err := u.scan(start); err != nil {
		return err
	}
	return u.finish()
}

// update is one in progress.
type update struct {
	*held
	ctx      context.Context
	entries  []entry
	kept     int // entries that were there before
	base     base
	keywords []string
	next     uint64
	limit    uint64 // a UID above was never given out
	tail     bool   // only what was appended is read
	partial  bool   // and others may have changed flags before it
	stop     int64  // where the messages end that have UIDs
	changed  []int  // the messages before it whose flags they have changed

	baseAt   int  // where the base is in plan, if it is new
	plan     plan // gives UIDs to strangers
	lostBase bool // others have taken it away, and it comes back
	stranger int  // the first message without a UID, or -1
}

// begin says from where to read: only what was appended, if all before is as it was
// but for flags.
func (u *update) begin() (start int64, err error) {
	u.stranger = -1
	k := &u.known
	if !u.loaded || u.f == nil || k.info == nil || !disk.SameFile(k.info, u.fi) || u.size < k.size || u.held.base.end == 0 {
		return 0, nil
	}
	var m span
	if err := u.spanAt(0, k.size, &m); err != nil {
		return 0, noFormat(err)
	}
	b, ok, err := baseOf(u.f, &m)
	if err != nil || !ok || b.validity != u.held.base.validity || b.pseudo != u.held.base.pseudo {
		return 0, err
	}
	u.base, u.keywords = b, b.keywords
	if ok, err = u.isAsBefore(); err != nil || !ok {
		u.entries, u.changed, u.base, u.keywords = nil, nil, base{}, nil
		return 0, err
	}
	u.tail, u.kept = true, len(u.entries)
	u.next = max(u.held.next, uint64(b.last)+1, u.nextOf(b.validity))
	u.limit = u.next - 1
	return k.size, nil
}

// isAsBefore reports whether the messages are where they were, and takes their flags.
// If the file has only grown, a look at the last one must do for now: others may have
// changed flags too, which the next one who opens the mailbox looks at.
func (u *update) isAsBefore() (bool, error) {
	k := &u.known
	u.entries = u.held.entries
	from := 0
	ours := u.j.isClean(u.fi) && u.j.strange == k.strange && !k.partial // only our kind has appended
	was := u.held.base.keywords
	same := len(u.keywords) >= len(was) && slices.Equal(u.keywords[:len(was)], was)
	if u.size > k.size && k.edits == u.j.edits && same && (!u.whole || ours) {
		from = max(0, len(u.entries)-1)
		u.partial = k.partial || !ours
	}
	var m span
	for i := from; i < len(u.entries); i++ {
		if i%1024 == 0 && u.ctx.Err() != nil {
			return false, u.ctx.Err()
		}
		e := &u.entries[i]
		if err := u.span(i, &m); err != nil || uidOf(&m) != uint64(e.uid) {
			return false, noFormat(err)
		}
		if set := parseFlags(&m.fields, &u.keywords); set != e.flags {
			if u.changed == nil {
				u.entries = slices.Clone(u.entries)
			}
			u.entries[i].flags = set
			u.changed = append(u.changed, i)
		}
	}
	if u.size == k.size {
		return true, nil
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	s.scan(u.f, k.size)
	return s.begin(&m) == nil, nil
}

// noFormat is nil for an error that says only that there is no message.
func noFormat(err error) error {
	if errors.Is(err, ErrFormat) || errors.Is(err, errMoved) {
		return nil
	}
	return err
}

// nextOf is the next UID as the journal knows it.
func (u *update) nextOf(validity uint32) uint64 {
	if u.j.validity == validity {
		return u.j.next
	}
	return 0
}

// scan reads the file from start to its end.
func (u *update) scan(start int64) error {
	if u.f == nil {
		return nil
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	var m span
	s.scan(u.f, start)
	for n := 0; ; n++ {
		if n%1024 == 0 && u.ctx.Err() != nil {
			return u.ctx.Err()
		}
		err := s.next(&m)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			if errors.Is(err, ErrFormat) {
				u.log.Error("a mailbox's file is no mbox, and is left alone", "file", u.path, "error", err)
			}
			return err
		}
		first := !u.tail && n == 0
		if first {
			if err := u.first(&m); err != nil {
				return err
			}
			if u.base.pseudo {
				continue
			}
		}
		if err := u.add(&m, first); err != nil {
			return err
		}
	}
}

// first takes the base from the first message.
func (u *update) first(m *span) (err error) {
	var ok bool
	u.base, ok, err = baseOf(u.f, m)
	if !ok || err != nil || !u.believes() {
		u.base = base{}
		if err == nil && !ok && u.isKnown(m) {
			err = u.rebase(m)
		}
		return err
	}
	u.keywords = u.base.keywords
	u.next = max(1, uint64(u.base.last)+1, u.nextOf(u.base.validity))
	if u.loaded && u.base.validity == u.held.base.validity {
		u.next = max(u.next, u.held.next)
	}
	u.limit = u.next - 1
	if u.base.last == 0 && u.next == 1 { // a crash has left no number
		u.limit = math.MaxUint32 - 1
	}
	return nil
}

// isKnown reports whether a message was there at the last look. Who knows of no base
// takes it away with the message that has it, as mutt does; the UIDs of the others are
// what they were.
func (u *update) isKnown(m *span) bool {
	if !u.loaded || m.header >= u.size {
		return false
	}
	i, ok := u.index(uidOf(m))
	var c [1]byte
	if _, err := u.f.ReadAt(c[:], m.header); err != nil || c[0] == ' ' || c[0] == '\t' { // see insert
		return false
	}
	return ok && u.held.entries[i].received == m.received().Unix()
}

// rebase puts the base that was lost before the fields of the first message.
func (u *update) rebase(m *span) error {
	if !u.write && !u.readOnly {
		return errNeedWrite
	}
	if err := u.newBase(); err != nil {
		return err
	}
	u.keywords = u.held.base.keywords
	u.limit = u.next - 1
	u.lostBase = true
	u.placeBase(m)
	return nil
}

// placeBase says where the numbers will be: see number.
func (u *update) placeBase(m *span) {
	u.base.start = m.header + u.plan.grows()
	u.baseAt = len(u.plan)
	u.plan.add(m.header, 0, nil)
}

// believes reports whether the base can be the mailbox's: a message that came into
// an empty one may have brought what it likes, and with a number near the last one
// there would be no UIDs left.
func (u *update) believes() bool {
	if u.base.last > math.MaxUint32-1<<24 {
		return false
	}
	if !u.loaded {
		return u.j.validity == 0 || u.j.cleanSize > 0 || u.base.validity == u.j.validity
	}
	return len(u.held.entries) > 0 || u.held.base.end > 0 || u.base.validity == u.held.base.validity
}

// add takes a message. It keeps the UID in it if that is above the one before, and
// not above all that were given out.
func (u *update) add(m *span, isFirst bool) error {
	uid := uidOf(m)
	e := entry{off: m.start, size: -1, received: m.received().Unix()}
	prev := uint64(0)
	if n := len(u.entries); n > 0 {
		prev = uint64(u.entries[n-1].uid)
	}
	known := u.base.validity != 0 && u.stranger < 0 && uid > prev && uid <= u.limit && !(u.tail && uid < u.held.next)
	if known || !m.fields[fieldXUID].has() {
		e.flags = parseFlags(&m.fields, &u.keywords)
	}
	if known {
		e.uid = uint32(uid)
		u.next = max(u.next, uid+1)
		u.entries = append(u.entries, e)
		return nil
	}
	if !u.write && !u.readOnly {
		return errNeedWrite
	}
	if u.stranger < 0 {
		u.stranger = len(u.entries)
	}
	if u.base.validity == 0 {
		if err := u.newBase(); err != nil {
			return err
		}
	}
	if err := u.endLine(m); err != nil {
		return err
	}
	if u.base.end == 0 && u.base.start == 0 {
		u.placeBase(m)
	}
	u.next = max(u.next, prev+1)
	if u.next > math.MaxUint32-1 {
		return errUsedUp
	}
	e.uid = uint32(u.next)
	u.next++
	u.entries = append(u.entries, e)
	if u.readOnly {
		return nil
	}
	return u.plan.own(u.f, m, e.uid, e.flags, u.keywords, isFirst && u.base.end > 0 && !u.base.pseudo)
}

// endLine adds the LF that a From_ line lacks where the file ends with it.
func (u *update) endLine(m *span) error {
	if m.header < u.size {
		return nil
	}
	var b [1]byte
	if _, err := u.f.ReadAt(b[:], m.header-1); err != nil {
		return err
	}
	if b[0] != '\n' {
		u.plan.add(m.header, 0, []byte{'\n'})
	}
	return nil
}

var errUsedUp = errors.New("all UIDs are used up")
