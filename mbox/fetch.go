package mbox

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mailparts/mailparts"
)

// Body reads a message as it is on the wire, in pieces: the lock is held for the
// length of one only, since who reads may be slow. Others may move the message
// between two pieces, and so it is found anew, by its UID, for each.
func (m *mailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	b := &body{ctx: ctx, box: m.box, uid: uid}
	if err := b.open(); err != nil {
		return nil, err
	}
	return b, nil
}

// pieceSize is how much is read under one lock. Most messages are one piece.
const pieceSize = 128 << 10

// body is a message that is read.
type body struct {
	ctx  context.Context
	box  *box
	uid  mailparts.UID
	text textReader

	at     span   // where it was when it was opened; its offsets are what text asks for
	size   int64  // on the wire; -1: not known
	given  int64  // octets that were read
	piece  []byte // octets of the file
	start  int64  // where they are, as at says
	now    span   // where it is now
	layout uint64 // of the box, as it was then
	err    error
}

// errChanged means that a message's header is not as it was: what is before a place
// is no longer what was read.
var errChanged = errors.New("the header has changed")

// open finds the message and reads its first piece.
func (b *body) open() error {
	b.layout, b.piece = 0, b.piece[:0]
	b.at, b.now = span{}, span{}
	if _, err := b.fetch(-1); err != nil {
		return err
	}
	b.text.reset((*pieces)(b), &b.at)
	return nil
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if b.size >= 0 {
		if p = p[:min(int64(len(p)), b.size-b.given)]; len(p) == 0 {
			return 0, io.EOF // what may follow came behind it: it is no message
		}
	}
	n, err := b.text.Read(p)
	for range maxLooks {
		if !errors.Is(err, errChanged) {
			break
		}
		if err = b.open(); err == nil {
			_, err = io.CopyN(io.Discard, &b.text, b.given)
		}
		if err == nil {
			n, err = b.text.Read(p)
		}
	}
	b.given += int64(n)
	switch {
	case err == io.EOF && b.size < 0:
		b.box.setSize(b.uid, b.given)
	case err == io.EOF && b.given < b.size:
		err = fmt.Errorf("UID %d has %d octets and not %d: %w", b.uid, b.given, b.size, io.ErrUnexpectedEOF)
	}
	b.err = err
	return n, err
}

// maxLooks is how often to look for what others move about.
const maxLooks = 5

// Close ends the reading.
func (b *body) Close() error {
	b.err = errClosed
	return nil
}

var errClosed = errors.New("the message is closed")

// pieces is the side of a body that text reads from.
type pieces body

// ReadAt reads from the file, with offsets as at says. A piece may have less than is
// asked for: then text asks again.
func (p *pieces) ReadAt(to []byte, off int64) (int, error) {
	b := (*body)(p)
	if i := off - b.start; i < 0 || i >= int64(len(b.piece)) {
		if n, err := b.fetch(off); n == 0 || err != nil {
			return 0, err
		}
	}
	return copy(to, b.piece[off-b.start:]), nil
}

// fetch reads a piece from off on, or from the first octet for -1.
func (b *body) fetch(off int64) (int, error) {
	for range maxLooks {
		if err := b.box.refresh(b.ctx); err != nil {
			return 0, err
		}
		h, err := b.box.lock(b.ctx, false)
		if err != nil {
			return 0, err
		}
		var n int
		if !h.loaded || !h.known.looks(h.fi) {
			err = errMoved
		} else {
			n, err = b.fetchLocked(h, off)
		}
		h.unlock()
		if !errors.Is(err, errMoved) {
			return n, err
		}
		h.forget()
	}
	// Others change it each time before the lock is taken: so look under it.
	h, err := b.box.lock(b.ctx, true)
	if err != nil {
		return 0, err
	}
	defer h.unlock()
	if err := h.update(b.ctx); err != nil {
		return 0, err
	}
	return b.fetchLocked(h, off)
}

func (b *body) fetchLocked(h *held, off int64) (int, error) {
	i, ok := h.index(uint64(b.uid))
	if !ok {
		return 0, mailparts.ErrNoMessage
	}
	if b.layout != h.layout || !h.known.settled || off < 0 {
		if err := h.span(i, &b.now); err != nil {
			return 0, err
		}
		if uidOf(&b.now) != uint64(b.uid) {
			return 0, errMoved
		}
		if b.at.next == 0 {
			b.at = b.now
		}
		b.layout, b.size = h.layout, h.entries[i].size
	}
	if off < 0 {
		off = b.at.header
	}
	end, to := b.at.end, off+b.now.end-b.at.end
	switch {
	case b.now.header-b.now.start == b.at.header-b.at.start && b.now.body-b.now.start == b.at.body-b.at.start && b.now.end-b.now.start == b.at.end-b.at.start:
	case b.now.end-b.now.body != b.at.end-b.at.body:
		return 0, fmt.Errorf("UID %d: the message was changed", b.uid)
	case off < b.at.body:
		return 0, errChanged
	}
	b.piece = append(b.piece[:0], make([]byte, min(end-off, pieceSize))...)
	b.start = off
	n, err := h.f.ReadAt(b.piece, to)
	b.piece = b.piece[:n]
	if err == io.EOF && n > 0 {
		err = nil
	}
	return n, err
}

// measure reads a message to know its size.
func (m *mailbox) measure(ctx context.Context, uid mailparts.UID) (int64, error) {
	r, err := m.Body(ctx, uid)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}

// setSize notes a size that was measured, unless another is at work: who has guard
// looks at entries without mu.
func (b *box) setSize(uid mailparts.UID, size int64) {
	select {
	case b.guard <- struct{}{}:
		defer func() { <-b.guard }()
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, ok := b.index(uint64(uid)); ok {
		b.entries[i].size = size
	}
}
