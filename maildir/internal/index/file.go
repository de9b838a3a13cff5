package index

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// The mode of the file: as private as mail.
const fileMode = 0o600

// open opens the file and reads its head.
func (s *State) open() (f disk.File, h Head, p position, fi fs.FileInfo, err error) {
	f, err = s.fsys.OpenFile(s.name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, h, p, nil, ErrNone
	}
	if err != nil {
		return nil, h, p, nil, err
	}
	b := make([]byte, headSize)
	n, err := f.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	if err == nil {
		h, p, err = decodeHead(b[:n])
	}
	if err == nil {
		fi, err = f.Stat()
	}
	if err == nil && fi.Size() < p.end {
		err = damaged(io.EOF)
	}
	if err != nil {
		f.Close()
	}
	return f, h, p, fi, err
}

// Peek reads the Head only. It needs no lock: what another process is writing in
// that moment is ErrDamaged, or as it was before.
func (s *State) Peek() error {
	f, h, p, fi, err := s.open()
	if err != nil {
		return err
	}
	defer f.Close()
	s.Head, s.at, s.file, s.loaded = h, p, fi, false
	s.Entries, s.GUIDs, s.Gone = nil, nil, nil
	return nil
}

// Load reads all. If it fails the State has nothing of use.
func (s *State) Load() error {
	f, h, p, fi, err := s.open()
	if err != nil {
		return err
	}
	defer f.Close()
	s.Entries, s.GUIDs, s.Gone, s.loaded = nil, nil, nil, true
	// A head that promises more than the file can hold is not believed.
	s.Entries = make([]Entry, 0, min(int64(h.Counts.Messages), p.end/putFixed))
	if err := s.read(f, headSize, p.end, s.apply); err != nil {
		return err
	}
	if len(s.Entries) != int(h.Counts.Messages) {
		return fmt.Errorf("%w: it has %d messages and should have %d", ErrDamaged, len(s.Entries), h.Counts.Messages)
	}
	s.Apply(h)
	s.at, s.file = p, fi
	return nil
}

// read calls take with each record between two places. What take gets is its own
// but for the slices in it.
func (s *State) read(f disk.File, from, to int64, take func(*Change)) error {
	r := records{r: bufio.NewReaderSize(io.NewSectionReader(f, from, to-from), int(min(to-from, 1<<20))), left: to - from}
	var put []Entry
	for {
		letter, content, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var c Change
		switch letter {
		case putRecord:
			put, err = putsIn(content, put[:0])
			c.Put = put
		case infoRecord:
			c.infos, err = infosIn(content)
		case guidRecord:
			c.GUIDs, err = guidsIn(content)
		case goneRecord:
			c.Gone, err = goneIn(content)
		default:
			err = fmt.Errorf("%w: a record has the unknown letter %q", ErrDamaged, letter)
		}
		if err != nil {
			return err
		}
		take(&c)
	}
}

// Tail reads what other processes have written since this State read or wrote
// last, for Apply. If replaced, another file has the place of the one that was
// read: then all is to be read anew.
func (s *State) Tail() (changes []Change, head Head, replaced bool, err error) {
	f, h, p, fi, err := s.open()
	if err != nil {
		return nil, head, false, err
	}
	defer f.Close()
	if s.file == nil || !disk.SameFile(fi, s.file) || p.end < s.at.end || p.start != s.at.start {
		return nil, head, true, nil
	}
	if s.loaded {
		err = s.read(f, s.at.end, p.end, func(c *Change) {
			c.Put = append([]Entry(nil), c.Put...)
			changes = append(changes, *c)
		})
		if err != nil {
			return nil, head, false, err
		}
	}
	s.at, s.file = p, fi
	return changes, h, false, nil
}

// Write appends a change to the file and then overwrites its head. The caller holds
// the lock that writers need, and has read all there is. Durable: both are synced.
// After an error the file says what it said before, or, if it was the sync that
// failed, more. Neither Head nor messages of the State change: see Apply.
func (s *State) Write(h Head, c Change, durable bool) (err error) {
	f, err := s.fsys.OpenFile(s.name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	p := s.at
	if !c.isEmpty() {
		b := appendChange(nil, c, s.entry)
		if _, err := f.WriteAt(b, p.end); err != nil {
			return err
		}
		p.end += int64(len(b))
	}
	if _, err := f.WriteAt(encodeHead(h, p), 0); err != nil {
		return err
	}
	s.at = p
	if durable {
		return f.Datasync()
	}
	return nil
}

func (s *State) entry(uid uint32) (Entry, bool) {
	if i, ok := s.find(uid); ok {
		return s.Entries[i], true
	}
	return Entry{}, false
}

// Rewrite puts a new file in the place of the old one, with all that the State has:
// for a State that is New, and to forget old changes. Durable: its content is
// synced before it has the name.
func (s *State) Rewrite(durable bool) error {
	tmp := s.name + ".tmp"
	f, err := s.fsys.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	end, err := s.writeAll(f)
	if err == nil {
		_, err = f.WriteAt(encodeHead(s.Head, position{end, end}), 0)
	}
	if err == nil && durable {
		err = f.Sync()
	}
	var fi fs.FileInfo
	if err == nil {
		fi, err = f.Stat()
	}
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = s.fsys.Rename(tmp, s.name)
	}
	if err != nil {
		s.fsys.Remove(tmp)
		return err
	}
	s.at, s.file = position{end, end}, fi
	return nil
}

// writeAll writes the snapshot, and returns where it ends.
func (s *State) writeAll(f disk.File) (end int64, err error) {
	end = headSize
	var b []byte
	flush := func() error {
		n, err := f.WriteAt(b, end)
		end += int64(n)
		b = b[:0]
		return err
	}
	for at := 0; at < len(s.Entries); at += putsEach {
		b = appendPuts(b, s.Entries[at:min(at+putsEach, len(s.Entries))])
		if len(b) > 1<<20 {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	b = appendGUIDs(b, s.GUIDs)
	for _, g := range s.Gone {
		b = appendGone(b, g)
	}
	err = flush()
	return end, err
}

// Grown reports whether the changes since the snapshot are so many that a Rewrite
// pays.
func (s *State) Grown() bool { return s.at.end-s.at.start > 64<<10+s.at.start }

// SetAside gives a damaged file another name, which it returns.
func (s *State) SetAside() (string, error) {
	name := s.name + time.Now().UTC().Format(".bad-20060102T150405.000000")
	return name, s.fsys.Rename(s.name, name)
}
