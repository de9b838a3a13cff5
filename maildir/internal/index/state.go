package index

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// State is an index in memory. Of its fields only Apply and Load change those that
// are exported, and Peek all of them; the other methods leave them to the readers.
// So the caller writes under the lock of writers, and applies under that of readers.
type State struct {
	Head
	Entries []Entry // by ascending UIDs
	GUIDs   map[uint32]string
	Gone    []Tombstone // by ascending mod-sequences

	fsys   disk.FS
	name   string
	at     position // up to where the file was read or written; zero: nothing of it
	loaded bool
	ranges int    // in Gone
	torn   []byte // the file's head, if a crash has left one that is not of use; else nil
}

// New returns a State of which nothing is known. Nothing on disk is looked at.
func New(fsys disk.FS, name string) *State { return &State{fsys: fsys, name: name} }

// Of returns a State that is not written yet: Rewrite does it.
func Of(fsys disk.FS, name string, h Head, entries []Entry, guids map[uint32]string) *State {
	return &State{Head: h, Entries: entries, GUIDs: guids, fsys: fsys, name: name, loaded: true}
}

// Loaded reports whether the messages are there too.
func (s *State) Loaded() bool { return s.loaded }

// Peek reads the Head only, and needs no lock. A Head of another Boot may be ahead of
// what a crash has left of the messages, so that Load must have the last word. Where
// it cannot be read, Peek does what Load does.
func (s *State) Peek() error {
	f, err := s.open()
	if err != nil {
		return err
	}
	defer f.Close()
	h, p, err := readHead(f)
	if errors.Is(err, ErrDamaged) {
		return s.load(f)
	}
	if err != nil {
		return err
	}
	*s = State{Head: h, fsys: s.fsys, name: s.name, at: p}
	return nil
}

// Load reads all, under the lock of writers. After a crash of the machine it leaves
// out changes that did not reach the disk whole, and all after them: no change that
// was durable is among these. Where runs of the machine have no names, damage passes
// for a crash. If it fails the State is as it was.
func (s *State) Load() error {
	f, err := s.open()
	if err != nil {
		return err
	}
	defer f.Close()
	return s.load(f)
}

// Tail reads what other processes have written since this State read or wrote
// last, for Apply. If replaced, another file has the place of the one that was
// read: then all is to be read anew. The caller holds the lock of writers.
func (s *State) Tail() (changes []Change, head Head, replaced bool, err error) {
	f, err := s.open()
	if err != nil {
		return nil, head, false, err
	}
	defer f.Close()
	h, p, err := readHead(f)
	if err != nil {
		return nil, head, false, err
	}
	if p.id != s.at.id || p.start != s.at.start || p.end < s.at.end || p.end == s.at.end && p.sum != s.at.sum {
		return nil, head, true, nil
	}
	if s.loaded && p.end > s.at.end {
		r := newReading(f, s.at, p.end)
		for {
			var c Change
			if err := r.next(&c); err == io.EOF {
				break
			} else if err != nil {
				return nil, head, false, err
			}
			if c.Put, c.edits = slices.Clone(c.Put), slices.Clone(c.edits); !c.isEmpty() {
				changes = append(changes, c)
			}
		}
		if r.commit.end != p.end || r.commit.sum != p.sum {
			return nil, head, false, damaged("its end is not that of its head")
		}
	}
	s.at, s.torn = p, nil
	return changes, h, false, nil
}

func (s *State) open() (disk.File, error) {
	f, err := s.fsys.OpenFile(s.name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	return f, err
}

// readHead reads the head again if it looks as if it was just being written.
func readHead(f disk.File) (h Head, p position, err error) {
	b := make([]byte, headSize)
	for range 3 {
		var n int
		n, err = f.ReadAt(b, 0)
		if err != nil && err != io.EOF {
			return h, p, err
		}
		if h, p, err = decodeHead(b[:n]); err == nil || n < headSize {
			break
		}
	}
	if err != nil {
		return h, p, err
	}
	fi, err := f.Stat()
	if err == nil && fi.Size() < p.end {
		err = damaged("it has %d octets of %d", fi.Size(), p.end)
	}
	return h, p, err
}

// Grown reports whether the changes since the snapshot are so many that a Rewrite
// pays.
func (s *State) Grown() bool { return s.at.end-s.at.start > 64<<10+s.at.start/2 }

// SetAside gives a damaged file another name, which it returns.
func (s *State) SetAside() (string, error) {
	name := s.name + time.Now().UTC().Format(".bad-20060102T150405.000000")
	return name, s.fsys.Rename(s.name, name)
}
