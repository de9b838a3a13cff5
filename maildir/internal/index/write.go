package index

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/mailparts/mailparts/internal/disk"
)

// fileMode is as private as mail.
const fileMode = 0o600

// errStale means that another process has written what this State has not read.
var errStale = errors.New("the index is not what was read")

// Write appends a change to the file and then overwrites its head: two writes,
// whatever the mailbox has. The caller holds the lock of writers, has read all there
// is (Tail says so), and calls Apply with the same before the next Write. Durable:
// all that was written up to now is on stable storage. After an error the file is as
// before.
func (s *State) Write(h Head, c Change, durable bool) error {
	if s.at.end == 0 {
		return errStale
	}
	if err := check(h, &c); err != nil {
		return err
	}
	b := builder{sum: s.at.sum}
	if !c.isEmpty() || durable {
		s.change(&b, &c)
		b.commit(h)
	}
	p := s.at
	p.end, p.sum = p.end+int64(len(b.buf)), b.sum
	if durable && !p.named {
		if err := s.fsys.SyncDir(filepath.Dir(s.name)); err != nil {
			return err
		}
		p.named = true
	}
	f, err := s.fsys.OpenFile(s.name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	old, err := s.current(f)
	if err != nil {
		f.Close()
		return err
	}
	if len(b.buf) > 0 {
		_, err = f.WriteAt(b.buf, s.at.end)
	}
	if err == nil {
		_, err = f.WriteAt(encodeHead(h, p), 0)
	}
	if err == nil && durable {
		err = f.Datasync()
	}
	if cerr := f.Close(); err == nil && !durable { // some file systems tell it only here
		err = cerr
	}
	if err != nil {
		return errors.Join(err, s.restore(old))
	}
	s.at, s.torn = p, nil
	return nil
}

// current returns the head that is in the file, and cuts off what is beyond its end,
// which a process or the machine did not live to complete.
func (s *State) current(f disk.File) (head []byte, err error) {
	head = make([]byte, headSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if _, p, err := decodeHead(head); (err != nil || p != s.at) && !bytes.Equal(head, s.torn) {
		return nil, errStale
	}
	if fi.Size() > s.at.end {
		// Synced: in the next crash it must not take the place of what comes now.
		return head, cmp.Or(f.Truncate(s.at.end), f.Datasync())
	}
	return head, nil
}

// restore undoes a Write.
func (s *State) restore(head []byte) error {
	f, err := s.fsys.OpenFile(s.name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(head, 0)
	return errors.Join(err, f.Truncate(s.at.end), f.Datasync(), f.Close())
}

// check says why Load would not take a change.
func check(h Head, c *Change) error {
	var top Head
	top.note(c)
	if !h.covers(top) {
		return fmt.Errorf("index: UIDNEXT %d and HIGHESTMODSEQ %d are below those of a change", h.Next, h.HighestModSeq)
	}
	for i := range c.Put {
		e := &c.Put[i]
		if err := cmp.Or(e.check(), checkNames(e.Name)); err != nil {
			return err
		}
		if i > 0 && c.Put[i-1].UID >= e.UID {
			return fmt.Errorf("index: UID %d does not ascend", e.UID)
		}
	}
	for uid, guid := range c.GUIDs {
		if err := checkGUID(uid, guid); err != nil {
			return err
		}
	}
	return c.Gone.check()
}

// change writes what is new of a change's messages.
func (s *State) change(b *builder, c *Change) {
	var whole []Entry
	var edits []edit
	at := 0
	for i := range c.Put {
		e := &c.Put[i]
		var there bool
		if at, there = findFrom(s.Entries, at, e.UID); there {
			if ed, ok := editOf(&s.Entries[at], e); ok {
				if edits = append(edits, ed); len(edits) == editsEach {
					b.edits(edits)
					edits = edits[:0]
				}
				continue
			}
		}
		if whole = append(whole, *e); len(whole) == putsEach {
			b.puts(whole)
			whole = whole[:0]
		}
	}
	b.puts(whole)
	b.edits(edits)
	b.guids(c.GUIDs)
	b.gone([]Tombstone{c.Gone})
}

// Rewrite puts a new file in the place of the old one, with all that the State has:
// for a State that is New, and to leave old changes behind. The content is synced
// before it gets the name if the old file had anything durable. Durable: it is synced
// in any case, and the folder too. After an error the old file is there, or the new
// one if it was the folder that could not be synced.
func (s *State) Rewrite(durable bool) error {
	if err := check(s.Head, &Change{Put: s.Entries, GUIDs: s.GUIDs, gone: s.Gone}); err != nil {
		return err
	}
	tmp := s.name + ".tmp"
	if err := s.fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // what a crash left would keep its mode
	}
	f, err := s.fsys.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	p, err := s.writeAll(f)
	if err == nil && (durable || s.at.end > 0) {
		err = f.Sync()
	}
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = s.fsys.Rename(tmp, s.name)
	}
	if err != nil {
		s.fsys.Remove(tmp)
		return err
	}
	s.at, s.torn = p, nil
	if durable {
		return s.fsys.SyncDir(filepath.Dir(s.name))
	}
	return nil
}

// writeAll writes the snapshot and then the head.
func (s *State) writeAll(f disk.File) (position, error) {
	p := position{id: rand.Uint64() | 1, end: headSize}
	var b builder
	flush := func() error {
		_, err := f.WriteAt(b.buf, p.end)
		p.end += int64(len(b.buf))
		b.buf, b.at = b.buf[:0], 0
		return err
	}
	b.startOf(p.id)
	b.gone(s.Gone) // first, where there is nothing yet to remove
	for at := 0; at < len(s.Entries); at += putsEach {
		b.puts(s.Entries[at:min(at+putsEach, len(s.Entries))])
		if len(b.buf) > 512<<10 {
			if err := flush(); err != nil {
				return p, err
			}
		}
	}
	b.guids(s.GUIDs)
	b.commit(s.Head)
	if err := flush(); err != nil {
		return p, err
	}
	p.start, p.sum = p.end, b.sum
	_, err := f.WriteAt(encodeHead(s.Head, p), 0)
	return p, err
}
