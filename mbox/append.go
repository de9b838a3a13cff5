package mbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math"
	"slices"
	"syscall"

	"github.com/mailparts/mailparts"
)

// Append reads all messages before it takes the lock, writes them at the end of the
// file and syncs it. On an error the file is cut to what it was; after a crash that
// is done by the next one who takes the lock.
func (m *mailbox) Append(ctx context.Context, msgs iter.Seq2[mailparts.Incoming, error]) (mailparts.Placed, error) {
	if err := m.refresh(ctx); err != nil {
		return mailparts.Placed{}, err
	}
	s := stage{store: m.store}
	defer s.close()
	var drafts []incoming
	for in, err := range msgs {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = m.mayAppend(in.Flags)
		}
		if err != nil {
			return mailparts.Placed{}, err
		}
		d, err := s.add(ctx, in)
		if err != nil {
			return mailparts.Placed{}, quota(err)
		}
		drafts = append(drafts, d)
	}
	placed, err := m.place(ctx, &s, drafts)
	return placed, quota(err)
}

// mayAppend refuses what cannot be kept before it is read.
func (b *box) mayAppend(flags []mailparts.Flag) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readOnly {
		return mailparts.ErrReadOnly
	}
	_, _, err := setOf(b.base.keywords, flags, true)
	return err
}

// place writes drafts to the file.
func (b *box) place(ctx context.Context, s *stage, drafts []incoming) (placed mailparts.Placed, err error) {
	h, err := b.lock(ctx, true)
	if err != nil {
		return placed, err
	}
	defer h.unlock()
	if err := h.update(ctx); err != nil {
		return placed, err
	}
	placed.UIDValidity = h.base.validity
	if len(drafts) == 0 {
		return placed, nil
	}
	if h.f == nil {
		if err := h.makeFile(ctx); err != nil {
			return placed, err
		}
		if err := h.update(ctx); err != nil { // others may have delivered to it meanwhile
			return placed, err
		}
	}
	if h.readOnly {
		return placed, mailparts.ErrReadOnly
	}
	if h.waiting {
		return placed, fmt.Errorf("%s: earlier messages have no UIDs: %w", h.path, syscall.ENOSPC)
	}
	a := arrival{held: h, stage: s, drafts: drafts}
	if err := a.prepare(); err != nil {
		return placed, err
	}
	if err := a.write(); err != nil {
		return placed, err
	}
	placed.UIDs.Add(mailparts.UID(a.first), mailparts.UID(a.first)+mailparts.UID(len(drafts)-1))
	return placed, nil
}

// arrival is an Append that has the lock.
type arrival struct {
	*held
	stage   *stage
	drafts  []incoming
	first   uint32
	base    base // as it is to be
	flags   []flagSet
	heads   [][]byte
	size    int64 // of all that is appended
	sum     uint32
	payload []byte
	baseOff int // of the base in the first head, if it has it
}

// prepare makes what is to be written, and room for new keywords and numbers.
func (a *arrival) prepare() error {
	h := a.held
	next := max(h.next, h.j.next)
	if next+uint64(len(a.drafts)) > math.MaxUint32-1 {
		return errUsedUp
	}
	a.first = uint32(next)
	a.base = h.box.base
	for _, d := range a.drafts {
		set, keywords, err := setOf(a.base.keywords, d.flags, true)
		if err != nil {
			return err
		}
		a.base.keywords = keywords
		a.flags = append(a.flags, set)
	}
	a.base.last = uint32(next) + uint32(len(a.drafts)) - 1
	if ok, err := a.isBaseReady(); err != nil {
		return err
	} else if !ok {
		if err := h.setBase(a.base); err != nil {
			return err
		}
		a.base = h.box.base
	}
	return a.compose()
}

// isBaseReady reports whether the field in the file is as it is to be, but for the
// last UID.
func (a *arrival) isBaseReady() (bool, error) {
	b := &a.base
	if b.end == 0 {
		return true, nil
	}
	have := make([]byte, b.size())
	if _, err := a.f.ReadAt(have, b.start); err != nil {
		return false, err
	}
	want := b.append(nil)
	if len(have) != len(want) {
		return false, nil
	}
	at, n := b.lastDigits()
	copy(have[at-b.start:], want[at-b.start:at-b.start+int64(n)])
	return bytes.Equal(have, want), nil
}

// compose makes the heads, and the sums for after a crash.
func (a *arrival) compose() error {
	gap, err := gapAfter(a.f, a.held.size)
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	for i := range a.drafts {
		d := &a.drafts[i]
		var b *base
		head := gap
		if i > 0 {
			head = []byte{'\n'}
		} else if a.base.end == 0 {
			b = &a.base
		}
		head = d.head(head, a.first+uint32(i), a.flags[i], b, a.base.keywords)
		if b != nil {
			a.baseOff = bytes.Index(head, []byte("\n"+"X-IMAPbase:")) + 1
		}
		a.heads = append(a.heads, head)
		sum.Write(head)
		if err := copyRange(sum, a.stage, d.off, d.off+d.size); err != nil {
			return err
		}
		a.size += int64(len(head)) + d.size
		a.payload = binary.LittleEndian.AppendUint32(a.payload, d.sum)
	}
	sum.Write([]byte{'\n'})
	a.size++
	a.sum = sum.Sum32()
	return nil
}

// gapAfter is what a file lacks at size for a message to follow: the LF of its last line
// and a blank one.
func gapAfter(f io.ReaderAt, size int64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	end := make([]byte, min(size, 3))
	if _, err := f.ReadAt(end, size-int64(len(end))); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasSuffix(end, []byte("\n\n")) || bytes.HasSuffix(end, []byte("\n\r\n")):
		return nil, nil
	case bytes.HasSuffix(end, []byte("\n")):
		return []byte("\n"), nil
	}
	return []byte("\n\n"), nil
}

// write makes the messages part of the mailbox, or leaves it as it was.
func (a *arrival) write() error {
	h := a.held
	w := payloadWriter{j: h.j}
	w.Write(a.payload)
	err := w.flush()
	if err == nil {
		err = h.f.check()
	}
	if err == nil {
		r := h.j.begin(appending, h.fi)
		r.validity, r.next, r.boot = a.base.validity, uint64(a.base.last)+1, h.boot()
		r.first, r.count = a.first, uint32(len(a.drafts))
		r.newSize, r.tail = h.size+a.size, a.sum
		r.payload, r.sum = w.size, w.sum
		if a.base.end > 0 {
			r.start, _ = a.base.lastDigits()
		}
		if r.before, err = sumBeforeAppend(h.f, &r); err == nil {
			err = h.j.write(r, true)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("journal: %w", err), h.j.load())
	}
	if err := a.writeMail(); err != nil {
		return errors.Join(err, a.takeBack())
	}
	// That it is done need not be durable: the sums tell.
	if err := h.j.rest(h.fi, false); err != nil {
		h.log.Warn("cannot write a journal", "mailbox", h.path, "error", err)
	}
	a.show()
	return nil
}

func (a *arrival) writeMail() error {
	h := a.held
	at := h.j.oldSize
	if err := h.f.Allocate(h.j.newSize); err != nil {
		return err
	}
	if err := a.writeLast(a.base.last); err != nil {
		return err
	}
	w := fileWriter{f: h.f, at: at}
	for i, d := range a.drafts {
		w.Write(a.heads[i])
		if err := copyRange(&w, a.stage, d.off, d.off+d.size); err != nil {
			return err
		}
	}
	w.Write([]byte{'\n'})
	if err := w.flush(); err != nil {
		return err
	}
	return h.settle()
}

// writeLast writes the last UID into the base, and no other octet: should a crash
// leave none of these, the journal has a number too.
func (a *arrival) writeLast(last uint32) error {
	if a.base.end == 0 {
		return nil
	}
	at, size := a.base.lastDigits()
	_, err := a.f.WriteAt(fmt.Appendf(nil, "%0*d", size, last), at)
	return err
}

// takeBack cuts what was written off again. If it cannot, the next one who takes the
// lock will, also if all of it was written: who was told of an error comes again.
func (a *arrival) takeBack() error {
	h := a.held
	err := h.f.Truncate(h.j.oldSize)
	if err == nil {
		err = a.writeLast(h.box.base.last)
	}
	if err == nil {
		err = h.settle()
	}
	if err == nil {
		err = h.j.rest(h.fi, false)
	} else {
		r := h.j.record
		r.kind = withdrawn
		err = errors.Join(err, h.j.write(r, true))
	}
	h.forget()
	return err
}

// forget makes the next refresh look at the file.
func (h *held) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known.settled = false
}

// show makes the new messages seen.
func (a *arrival) show() {
	h := a.held
	entries := h.entries
	from := len(entries)
	at := h.j.oldSize
	b := a.base
	for i, d := range a.drafts {
		off := at + int64(bytes.Index(a.heads[i], fromWord))
		if b.end == 0 {
			b.start = at + int64(a.baseOff)
			b.end = b.start + int64(len(b.append(nil)))
		}
		entries = append(entries, entry{off: off, size: d.wire, received: d.received.Unix(), flags: a.flags[i], uid: a.first + uint32(i)})
		at += int64(len(a.heads[i])) + d.size
	}
	h.publish(entries, b, h.j.next, h.shape(), false)
	h.tell()
	h.saveIndex(from, nil)
}

// setBase writes another base, before what depends on it.
func (h *held) setBase(b base) error {
	var p plan
	text := b.append(nil)
	p.add(b.start, b.end-b.start, text)
	b.last = max(b.last, h.box.base.last)
	if err := h.commit(p, b.validity, max(h.next, h.j.next)); err != nil {
		h.forget()
		return err
	}
	b.end = b.start + int64(len(text))
	entries := slices.Clone(h.entries)
	p.place(entries, nil)
	h.publish(entries, b, h.j.next, h.shape(), false)
	h.saveIndex(0, nil)
	return nil
}

// fileWriter writes from a place on, in large pieces.
type fileWriter struct {
	f   io.WriterAt
	at  int64
	buf []byte
}

func (w *fileWriter) Write(p []byte) (int, error) {
	const room = 256 << 10
	w.buf = append(w.buf, p...)
	if len(w.buf) < room {
		return len(p), nil
	}
	return len(p), w.flush()
}

func (w *fileWriter) flush() error {
	_, err := w.f.WriteAt(w.buf, w.at)
	w.at += int64(len(w.buf))
	w.buf = w.buf[:0]
	return err
}

// quota says ErrQuota too where the user's share of the disk is used up.
func quota(err error) error {
	if errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", mailparts.ErrQuota, err)
	}
	return err
}
