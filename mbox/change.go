package mbox

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"
)

// A change of a mailbox's file is written to the journal, with all octets from the
// first that it changes or moves on, before the first of them is overwritten: in
// place, because a new file in the place of the old one would slip from under the
// locks of others, and because /var/mail is often closed for new files. A crash
// leaves the old mailbox, or a journal from which the next one who takes the lock
// writes the new one, as often as need be.

// commit makes the changes of p, which are durable when it returns. On an error
// nothing was done, or all of it was or will be by the next one who takes the lock.
// With them the mailbox has a UIDVALIDITY and a next UID.
func (h *held) commit(p plan, validity uint32, next uint64) error {
	if err := h.announce(h.j, p, validity, next); err != nil {
		return errors.Join(fmt.Errorf("journal: %w", err), h.j.abandon())
	}
	return h.carryOut()
}

// carryOut does what commit has announced.
func (h *held) carryOut() error {
	if err := h.apply(); err != nil {
		return fmt.Errorf("%w: %w", errUnfinished, err)
	}
	return nil
}

// announce writes to a journal what commit is to do.
func (h *held) announce(j *journal, p plan, validity uint32, next uint64) error {
	p.sort()
	size := h.size
	w := payloadWriter{j: j}
	r := j.begin(changing, h.fi)
	r.validity, r.next, r.boot = validity, next, h.boot()
	r.newSize, r.start = size+p.grows(), p[0].off
	r.sample = max(0, min(maxSample, size-r.start, r.newSize-r.start, p.firstPart(size)))
	r.last = r.sample + p.lastPart()
	err := copyRange(&w, h.f, r.start, r.start+r.sample)
	if err == nil {
		err = p.encode(&w, h.f, size)
	}
	if err == nil {
		err = w.flush()
	}
	r.payload, r.sum = w.size, w.sum
	if err == nil {
		r.tail, err = sumOf(h.f, r.newSize, size)
	}
	if err == nil {
		r.before, err = sumBefore(h.f, r.start)
	}
	if err == nil {
		err = h.f.check()
	}
	if err == nil {
		err = j.write(r, true)
	}
	return err
}

// errUnfinished is of a change that the next one who takes the lock will finish.
var errUnfinished = errors.New("change not finished")

// sumBefore is the sum of up to a page before off.
func sumBefore(f io.ReaderAt, off int64) (uint32, error) { return sumOf(f, max(0, off-4096), off) }

// sumOf is the sum of a part of a file, of what is there of it.
func sumOf(f io.ReaderAt, from, to int64) (uint32, error) {
	sum := crc32.New(castagnoli)
	if from < to {
		if _, err := io.Copy(sum, io.NewSectionReader(f, from, to-from)); err != nil {
			return 0, err
		}
	}
	return sum.Sum32(), nil
}

// apply writes what the journal says to the mailbox.
func (h *held) apply() error {
	err := h.f.Allocate(h.j.newSize)
	if err == nil {
		err = replay(h.f, io.NewSectionReader(h.j, payloadStart+h.j.sample, h.j.payload-h.j.sample))
	}
	if err == nil && h.j.oldSize > h.j.newSize {
		err = h.f.Truncate(h.j.newSize)
	}
	if err == nil {
		err = h.settle()
	}
	if err == nil {
		h.touch()
		err = h.j.rest(h.fi, true)
	}
	return err
}

// settle makes the file durable, with a modification time of its own: two changes
// within a tick of the kernel's clock would have the same.
func (h *held) settle() error {
	h.own = h.fsys.Chtimes(h.f.Name(), time.Now()) == nil
	if err := h.f.Sync(); err != nil {
		return err
	}
	return h.stat()
}

// touch reads an octet after a change that brought no mail: the access time is not
// before the modification time then, as it would be of new mail. A file system that
// keeps access times does so for this read, also with relatime.
func (h *held) touch() {
	var b [1]byte
	h.f.ReadAt(b[:], 0)
}

// finishChange does what a change has left undone when it was cut short. What others
// have appended since goes to the end of what it makes.
func (h *held) finishChange() error {
	ok, err := h.j.hasPayload()
	if err != nil {
		return err
	}
	if !ok { // cannot be: the record was written after it
		return misfit("the payload is damaged")
	}
	// Who has put the journal in another's place may have died before that was durable.
	if err := h.fsys.SyncDir(h.store.side); err != nil {
		return err
	}
	from, err := h.foreign()
	if err != nil {
		return err
	}
	fi, err := h.f.Stat()
	if err != nil {
		return err
	}
	if from < fi.Size() && h.j.oldSize != h.j.newSize {
		if err := h.saveForeign(from, fi.Size()); err != nil {
			return err
		}
	}
	h.log.Info("finished a change of a mailbox that was cut short", "mailbox", h.path, "appended meanwhile", fi.Size()-from)
	return h.apply()
}

// foreign returns from where on the file has what others have appended.
func (h *held) foreign() (int64, error) {
	r := &h.j.record
	fi, err := h.f.Stat()
	if err != nil {
		return 0, err
	}
	size := fi.Size()
	if size < min(r.oldSize, r.newSize) {
		return 0, misfit("%s has %d octets and had %d", h.path, size, r.oldSize)
	}
	if sum, err := sumBefore(h.f, r.start); err != nil || sum != r.before {
		return 0, cmp.Or(err, misfit("%s was changed before octet %d", h.path, r.start))
	}
	if ok, err := h.isSample(); err != nil || !ok {
		return 0, cmp.Or(err, misfit("%s was changed at octet %d", h.path, r.start))
	}
	if r.newSize <= r.oldSize {
		// Nothing is written from newSize on, and the file is cut there at last.
		if size < r.oldSize {
			return r.newSize, nil
		}
		sum, err := sumOf(h.f, r.newSize, r.oldSize)
		if err != nil || sum == r.tail {
			return r.oldSize, err
		}
		return r.newSize, nil
	}
	// From oldSize on there are zeros, or what the journal says, or others' octets.
	ours, err := h.isOurs(r.oldSize, min(size, r.newSize))
	if err != nil || !ours {
		return r.oldSize, err
	}
	return min(size, r.newSize), nil
}

// maxSample is how much of what a change overwrites is compared.
const maxSample = 4096

// isSample reports whether the first octets that the change writes are as they were
// or as they are to be, or lost.
func (h *held) isSample() (bool, error) {
	r := &h.j.record
	was, is, want := make([]byte, r.sample), make([]byte, r.sample), make([]byte, r.sample)
	for _, at := range []struct {
		to   []byte
		from io.ReaderAt
		off  int64
	}{{was, h.j, payloadStart}, {is, h.f, r.start}, {want, h.j, payloadStart + r.sample + partHead}} {
		if _, err := at.from.ReadAt(at.to, at.off); err != nil && err != io.EOF {
			return false, err
		}
	}
	for i, c := range is {
		if c != was[i] && c != want[i] && c != 0 {
			return false, nil
		}
	}
	return true, nil
}

// isOurs reports whether a part of the file has only zeros and what the journal's
// last part puts there.
func (h *held) isOurs(from, to int64) (bool, error) {
	// The last part reaches to newSize, and its octets to the end of the payload.
	shift := payloadStart + h.j.payload - h.j.newSize
	have, want := make([]byte, 32<<10), make([]byte, 32<<10)
	for from < to {
		n := min(to-from, int64(len(have)))
		if _, err := h.f.ReadAt(have[:n], from); err != nil {
			return false, err
		}
		if _, err := h.j.ReadAt(want[:n], from+shift); err != nil {
			return false, err
		}
		for i, c := range have[:n] {
			if c != 0 && c != want[i] {
				return false, nil
			}
		}
		from += n
	}
	return true, nil
}

// saveForeign writes what others have appended to the journal, as the last part of
// the change.
func (h *held) saveForeign(from, to int64) error {
	return h.renewJournal(func(longer *journal) error {
		w := payloadWriter{j: longer}
		r := h.j.record
		err := copyRange(&w, h.j, payloadStart, payloadStart+r.last)
		if err == nil {
			err = lengthenPart(&w, h.j, payloadStart+r.last, to-from)
		}
		if err == nil {
			err = copyRange(&w, h.j, payloadStart+r.last+partHead, payloadStart+r.payload)
		}
		if err == nil {
			err = copyRange(&w, h.f, from, to)
		}
		if err == nil {
			err = w.flush()
		}
		r.payload, r.sum = w.size, w.sum
		r.oldSize, r.newSize = to, r.newSize+to-from
		if err == nil {
			r.tail, err = sumOf(h.f, r.newSize, to)
		}
		if err == nil {
			err = longer.write(r, true)
		}
		return err
	})
}

// renewJournal puts another journal in the place of the one that is there, once write
// has written it: who needs what the old one has, until then, must not lose it in a
// crash.
func (h *held) renewJournal(write func(*journal) error) error {
	name := h.j.name
	tmp := name + ".tmp"
	f, err := h.fsys.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	j := &journal{File: f, name: name, record: h.j.record}
	err = write(j)
	if err == nil {
		err = h.fsys.Rename(tmp, name)
	}
	if err != nil {
		f.Close()
		h.fsys.Remove(tmp)
		return err
	}
	h.j.Close()
	h.j = j
	return h.fsys.SyncDir(h.store.side)
}
