package mbox

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// finish writes the UIDs of strangers, and shows what was found to readers.
func (u *update) finish() error {
	if u.base.validity == 0 {
		if err := u.newBase(); err != nil {
			return err
		}
	}
	if u.loaded && u.base.validity != u.held.base.validity {
		return u.lost()
	}
	waiting := false
	u.stop = u.size
	if u.base.damaged && !u.write && !u.readOnly {
		return errNeedWrite
	}
	if u.stranger >= 0 || u.base.damaged || u.lostBase {
		err := u.number()
		if err != nil && (!isPostponable(err) || u.lostBase && !u.readOnly) {
			return err // without a base nothing can be changed
		}
		u.stop = u.size // it has grown
		if waiting = err != nil && u.stranger >= 0; waiting {
			u.postpone(err)
		}
		if u.base.end == 0 {
			u.base.start = 0
		}
	}
	u.base.keywords = u.keywords
	u.takeSizes()
	if err := u.remember(); err != nil {
		return err
	}
	k := shape{info: u.fi, size: u.stop, edits: u.j.edits, strange: u.j.strange}
	k.settled = u.own || u.fi == nil || time.Since(u.fi.ModTime()) > granularity
	k.partial = u.partial
	if waiting && !u.readOnly {
		k.settled = false // try again
	}
	from, changed := 0, u.changed
	if u.tail && u.stranger < 0 {
		from = u.kept
	}
	u.publish(u.entries, u.base, u.next, k, waiting)
	u.saveIndex(from, changed)
	return nil
}

// newBase gives the mailbox its numbers, when its file has none.
func (u *update) newBase() (err error) {
	u.base = base{validity: u.j.validity}
	if u.loaded {
		u.base.validity = u.held.base.validity
	}
	if u.base.validity == 0 {
		if u.base.validity, err = u.store.newValidity(u.ctx); err != nil {
			return err
		}
	}
	u.next = max(1, u.nextOf(u.base.validity))
	if u.loaded {
		u.next = max(u.next, u.held.next)
	}
	return nil
}

// number writes the UIDs of strangers to the file.
func (u *update) number() error {
	if u.readOnly {
		return mailparts.ErrReadOnly
	}
	to := u.base
	to.last, to.damaged = uint32(u.next-1), false
	to.keywords = u.keywords
	if to.end > 0 {
		u.plan.writeBase(&to)
		to.end = to.start + int64(len(u.plan[len(u.plan)-1].text))
	} else { // it stands at the start of the first message's fields
		fresh := to.fresh(false)
		u.plan[u.baseAt].text = fresh.append(nil)
		to.end = to.start + int64(len(u.plan[u.baseAt].text))
	}
	if err := u.commit(u.plan, to.validity, u.next); err != nil {
		return err
	}
	moving := &to
	if u.base.end == 0 {
		moving = nil // it is where it was put
	}
	u.plan.place(u.entries, moving)
	u.base = to
	u.tell()
	return nil
}

// place says where messages and the base are after a change: their first octets are
// in no cut, but the base's in one that has another base.
func (p plan) place(entries []entry, b *base) {
	m := mover{plan: p}
	for i := range entries {
		entries[i].off = m.to(entries[i].off)
	}
	if b != nil {
		m, size := mover{plan: p}, b.size()
		b.start = m.to(b.start)
		b.end = b.start + size
	}
}

// shape is how the file is now, after a change of ours.
func (h *held) shape() shape {
	return shape{info: h.fi, size: h.size, settled: h.own, edits: h.j.edits, strange: h.j.strange, partial: h.known.partial}
}

// isPostponable reports whether messages can do without UIDs until later: the user
// must be able to see the others, and make room.
func isPostponable(err error) bool {
	if errors.Is(err, errUnfinished) {
		return false
	}
	return disk.IsFull(err) || errors.Is(err, mailparts.ErrReadOnly) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// postpone leaves strangers to the next look.
func (u *update) postpone(err error) {
	if !u.waiting {
		u.log.Error("new messages wait until their UIDs can be written", "mailbox", u.path, "messages", len(u.entries)-u.stranger, "error", err)
	}
	u.next = uint64(u.entries[u.stranger].uid)
	u.stop = u.entries[u.stranger].off
	u.entries = u.entries[:u.stranger:u.stranger]
}

// takeSizes keeps what was measured before.
func (u *update) takeSizes() {
	if u.tail || !u.loaded {
		return
	}
	had := u.held.entries
	for i := range u.entries {
		e := &u.entries[i]
		for len(had) > 0 && had[0].uid < e.uid {
			had = had[1:]
		}
		if len(had) > 0 && had[0].uid == e.uid {
			e.size = had[0].size
		}
	}
}

// publish shows readers a mailbox.
func (h *held) publish(entries []entry, b base, next uint64, k shape, waiting bool) {
	x := h.box
	x.mu.Lock()
	defer x.mu.Unlock()
	if !slices.Equal(b.keywords, x.base.keywords) {
		clear(x.lists)
	}
	x.entries, x.base, x.next, x.known, x.waiting, x.loaded = entries, b, max(next, x.next), k, waiting, true
	x.layout++
	x.whole = false
}

// tell has the watchers woken.
func (h *held) tell() { h.changed(h.path) }

// remember notes the numbers in the journal, for when the file is lost or emptied.
func (u *update) remember() error {
	r := u.j.record
	changed := r.validity != u.base.validity
	emptied := u.size == 0 && r.cleanSize > 0 // what comes next may bring what it likes: see believes
	if !changed && !emptied && r.next >= u.next {
		return nil
	}
	r.validity, r.next = u.base.validity, u.next
	if u.fi == nil {
		r.cleanSize, r.cleanTime = 0, 0
	} else if !u.partial && !u.j.isClean(u.fi) {
		r.strange++
		r.cleanSize, r.cleanTime = u.fi.Size(), u.fi.ModTime().UnixNano()
	}
	return u.j.write(r, changed)
}

// span reads where the parts of a message are, without its body.
func (h *held) span(i int, m *span) error {
	return h.spanAt(h.entries[i].off, h.end(i), m)
}

func (h *held) spanAt(off, end int64, m *span) error {
	s := peekers.Get().(*scanner)
	defer func() {
		s.at, s.values = nil, nil // spans have the values
		peekers.Put(s)
	}()
	s.scan(io.NewSectionReader(h.f, 0, end), off)
	if err := s.begin(m); err != nil {
		return cmp.Or(noEOF(err), errMoved)
	}
	for s.part == inHeader && s.err == nil {
		s.piece()
	}
	switch {
	case s.err != nil:
		return s.err
	case s.part == inText:
		return h.endBefore(end, m)
	}
	return nil
}

// Scanners with buffers: scanners for whole files, and peekers for one header.
var (
	scanners = sync.Pool{New: func() any { return new(scanner) }}
	peekers  = sync.Pool{New: func() any { return &scanner{window: window{buf: make([]byte, 0, 4<<10)}} }}
)

// release gives one of scanners back.
func (s *scanner) release() {
	s.at, s.values = nil, nil // spans have the values
	scanners.Put(s)
}

// endBefore is the end of a body before another message, as for a scanner.
func (h *held) endBefore(next int64, m *span) error {
	b := make([]byte, 3)
	at := max(m.body-1, next-3)
	b = b[:next-at]
	if _, err := h.f.ReadAt(b, at); err != nil {
		return err
	}
	m.end, m.next = next, next
	switch n := len(b); {
	case n >= 3 && string(b[n-3:]) == "\n\r\n":
		m.end -= 2
	case n >= 2 && string(b[n-2:]) == "\n\n":
		m.end--
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
