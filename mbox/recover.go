package mbox

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// recover finishes or takes back what a crash has left. A journal that does not fit
// the mailbox is kept aside.
func (h *held) recover() error {
	var err error
	switch {
	case h.f == nil:
		err = misfit("the mailbox has no file")
	case h.readOnly:
		return mailparts.ErrReadOnly
	case h.j.kind == appending, h.j.kind == withdrawn:
		err = h.finishAppend()
	default:
		err = h.finishChange()
	}
	if errors.Is(err, errJournal) {
		return h.setAside(err)
	}
	return err
}

// setAside keeps a copy of a journal that cannot be used.
func (h *held) setAside(cause error) error {
	aside, err := h.copyJournal()
	h.log.Error("a change of a mailbox was cut short and cannot be finished", "mailbox", h.path, "journal", aside, "error", cause)
	if err != nil {
		return err
	}
	return h.j.rest(h.fi, true)
}

func (h *held) copyJournal() (name string, err error) {
	var f disk.File
	for i := 1; ; i++ {
		name = fmt.Sprintf("%s.bad%d", h.j.name, i)
		f, err = h.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return name, err
	}
	fi, err := h.j.Stat()
	if err == nil {
		_, err = io.Copy(f, io.NewSectionReader(h.j, 0, fi.Size()))
	}
	return name, errors.Join(err, f.Close())
}

// finishAppend takes back an append that was cut short. It was not answered: the file
// was not synced then, or its octets would be those that the journal has the sum of.
// But others may have changed or appended something since.
func (h *held) finishAppend() error {
	r := h.j.record
	sums, err := h.sums()
	if err != nil {
		return err
	}
	if h.size < r.oldSize {
		return misfit("%s has %d octets and had %d", h.path, h.size, r.oldSize)
	}
	if r.kind == appending && sums == nil || h.size == r.oldSize { // the next append had begun, or this had not
		return h.accept()
	}
	if r.kind == appending && h.size >= r.newSize {
		sum, err := sumOf(h.f, r.oldSize, r.newSize)
		if err != nil {
			return err
		}
		if sum == r.tail {
			return h.accept()
		}
	}
	parts, err := h.parts(r.oldSize)
	if err != nil {
		return err
	}
	whole := 0
	for _, p := range parts {
		if ok, err := h.isWhole(p, sums); err != nil {
			return err
		} else if ok {
			whole++
		}
	}
	if r.kind == appending && whole > 0 && whole == len(parts) && r.boot != h.boot() {
		// All of it was there, and flags were changed since, or messages expunged.
		return h.accept()
	}
	// Who has moved what was there before may have left mail where the append began.
	if sum, err := sumBeforeAppend(h.f, &r); err != nil || sum != r.before {
		return cmp.Or(err, misfit("%s was changed before octet %d", h.path, r.oldSize))
	}
	return h.takeOut(parts)
}

// sumBeforeAppend is the sum of up to a page before an append, without the digits of
// the last UID, which the append writes too.
func sumBeforeAppend(f io.ReaderAt, r *record) (uint32, error) {
	b := make([]byte, min(r.oldSize, 4096))
	from := r.oldSize - int64(len(b))
	if _, err := f.ReadAt(b, from); err != nil && err != io.EOF {
		return 0, err
	}
	if r.start > 0 {
		lo, hi := max(r.start, from), min(r.start+baseDigits, r.oldSize)
		for i := lo; i < hi; i++ {
			b[i-from] = 0
		}
	}
	return checksum(b), nil
}

// accept says that an append is done, or was never begun. Who was killed has not
// synced it.
func (h *held) accept() error {
	if err := h.f.Sync(); err != nil {
		return err
	}
	return h.j.rest(h.fi, true)
}

// sums are those of the messages of an append, or nil if the payload is another's.
func (h *held) sums() (sums []uint32, err error) {
	ok, err := h.j.hasPayload()
	if err != nil || !ok {
		return nil, err
	}
	b := make([]byte, h.j.payload)
	if _, err := h.j.ReadAt(b, payloadStart); err != nil && err != io.EOF {
		return nil, err
	}
	for ; len(b) >= 4; b = b[4:] {
		sums = append(sums, binary.LittleEndian.Uint32(b))
	}
	return sums, nil
}

// part is what is from one From_ line to the next in what an append may have left, or
// octets that are none.
type tornPart struct {
	from, to int64
	uid      uint64 // 0: not of the append
}

// parts looks for From_ lines from a place on, also where no line begins: what others
// append may follow anything.
func (h *held) parts(from int64) (parts []tornPart, err error) {
	parts = []tornPart{{from: from, uid: uint64(h.j.first)}} // if there is no From_ line first, it is torn
	buf := make([]byte, 0, 64<<10)
	for at := from; at < h.size; {
		n, err := h.f.ReadAt(buf[:cap(buf)], at)
		if err != nil && err != io.EOF {
			return nil, err
		}
		b := buf[:n]
		next := len(b)
		for i := 0; ; {
			j := bytes.Index(b[i:], fromWord)
			if j < 0 {
				break
			}
			i += j
			if len(b)-i < maxFrom && at+int64(len(b)) < h.size {
				next = i // the line is not all there
				break
			}
			if (i == 0 || b[i-1] != '>') && isFrom(firstLine(b[i:])) {
				parts = append(parts, tornPart{from: at + int64(i)})
			}
			i += len(fromWord)
		}
		if next == len(b) && at+int64(next) < h.size {
			next -= len(fromWord) - 1
		}
		at += int64(next)
		if n == 0 {
			break
		}
	}
	if len(parts) > 1 && parts[1].from == from {
		parts = parts[1:]
	}
	for i := range parts {
		p := &parts[i]
		if p.to = h.size; i+1 < len(parts) {
			p.to = parts[i+1].from
		}
		var m span
		if h.spanAt(p.from, p.to, &m) == nil {
			if uid := uidOf(&m); uid >= uint64(h.j.first) && uid < uint64(h.j.first)+uint64(h.j.count) {
				p.uid = uid
			}
		}
	}
	return parts, nil
}

// isWhole reports whether a message of the append has all its octets.
func (h *held) isWhole(p tornPart, sums []uint32) (bool, error) {
	if p.uid == 0 {
		return true, nil // not of it
	}
	var m span
	if err := h.spanAt(p.from, p.to, &m); err != nil {
		return false, nil
	}
	if uidOf(&m) != p.uid {
		return false, nil
	}
	var text textReader
	text.reset(h.f, &m)
	_, sum, err := measure(&text)
	i := int(p.uid - uint64(h.j.first))
	return i < len(sums) && sum == sums[i], err
}

// takeOut takes out what is of the append. The journal has the sums until that is
// done, or another is in its place that has all of the change.
func (h *held) takeOut(parts []tornPart) error {
	r := h.j.record
	gap, err := gapAfter(h.f, r.oldSize) // which the append wrote, if it was needed
	if err != nil {
		return err
	}
	var p plan
	for _, t := range parts {
		switch {
		case t.uid == 0:
		case t.from == r.oldSize:
			p.add(t.from, t.to-t.from, gap)
		default:
			p.add(t.from, t.to-t.from, nil)
		}
	}
	h.log.Info("took back messages that were not written wholly", "mailbox", h.path, "octets", -p.grows())
	switch len(p) {
	case 0:
		return h.accept()
	case len(parts):
		err := h.f.check()
		if err == nil {
			err = h.f.Truncate(r.oldSize)
		}
		if err == nil {
			err = h.settle()
		}
		if err == nil {
			err = h.j.rest(h.fi, true)
		}
		return err
	}
	err = h.renewJournal(func(j *journal) error { return h.announce(j, p, r.validity, r.next) })
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return h.carryOut()
}
