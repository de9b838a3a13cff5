package mbox

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"

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
	b.mu.Lock()
	if b.known.partial {
		b.known.settled, b.known.edits = false, math.MaxUint64
	}
	b.mu.Unlock()
	return b.refresh(ctx)
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

	plan     plan // gives UIDs to strangers
	stranger int  // the first message without a UID, or -1
}

// begin says from where to read: only what was appended, if all before looks right.
func (u *update) begin() (start int64, err error) {
	u.stranger = -1
	if u.loaded && u.grown() {
		b, ok, err := readBase(u.f, &field{start: u.held.base.start, end: u.held.base.end}, u.held.base.pseudo)
		if err != nil {
			return 0, err
		}
		if ok && b.validity == u.held.base.validity && u.isLast() {
			u.entries, u.base, u.keywords, u.tail = u.held.entries, b, u.held.base.keywords, true
			u.next = max(u.held.next, u.nextOf(b.validity))
			u.limit = max(uint64(b.last), u.next-1)
			u.kept = len(u.entries)
			return u.known.size, nil
		}
	}
	u.base.keywords = nil
	return 0, nil
}

// grown reports whether the file looks as if something was appended only. Another
// program may have changed flags too: then the next one who opens the mailbox looks
// at all of it.
func (u *update) grown() bool {
	k := &u.known
	return u.f != nil && k.info != nil && len(u.held.entries) > 0 && u.held.base.end > 0 &&
		disk.SameFile(k.info, u.fi) && u.size > k.size && k.edits == u.j.edits
}

// isLast reports whether the last message is where it was, and another follows it.
func (u *update) isLast() bool {
	var m span
	last := len(u.held.entries) - 1
	if err := u.span(last, &m); err != nil || uidOf(&m) != uint64(u.held.entries[last].uid) {
		return false
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	s.scan(u.f, u.known.size)
	return s.begin(&m) == nil
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
	ok := false
	for _, id := range []int{fieldXIMAPbase, fieldXIMAP} {
		if at := &m.fields[id]; at.has() && !ok && err == nil {
			u.base, ok, err = readBase(u.f, at, id == fieldXIMAP)
		}
	}
	if !ok || err != nil || !u.believes() {
		u.base = base{}
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

// believes reports whether the base can be the mailbox's: a message that came into
// an empty one may have brought what it likes, and with a number near the last one
// there would be no UIDs left.
func (u *update) believes() bool {
	if u.base.last > math.MaxUint32-1<<24 {
		return false
	}
	return !u.loaded || len(u.held.entries) > 0 || u.held.base.end > 0 || u.base.validity == u.held.base.validity
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
	if u.base.end == 0 && u.base.start == 0 {
		u.base.start = m.header // where the numbers will be: see number
		u.plan.add(m.header, 0, nil)
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

var errUsedUp = errors.New("all UIDs are used up")
