package index

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// provisional format
const headSize = 512

type headFile struct {
	H          Head
	End, Start int64
}

func (s *State) encodeHead(h Head, end, start int64) []byte {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	gob.NewEncoder(&b).Encode(headFile{h, end, start})
	if b.Len() > headSize*4 {
		panic(b.Len())
	}
	out := append(b.Bytes(), make([]byte, headSize*4-b.Len())...)
	copy(out, "MPI1")
	binary.LittleEndian.PutUint32(out[4:], crc32.ChecksumIEEE(out[8:]))
	return out
}

func decodeHead(b []byte) (hf headFile, err error) {
	if len(b) < headSize*4 || string(b[:4]) != "MPI1" || binary.LittleEndian.Uint32(b[4:]) != crc32.ChecksumIEEE(b[8:headSize*4]) {
		return hf, ErrDamaged
	}
	err = gob.NewDecoder(bytes.NewReader(b[8:])).Decode(&hf)
	if err != nil {
		err = ErrDamaged
	}
	return hf, err
}

func (s *State) openFile() (disk.File, headFile, fs.FileInfo, error) {
	f, err := s.fsys.OpenFile(s.name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, headFile{}, nil, ErrNone
	}
	if err != nil {
		return nil, headFile{}, nil, err
	}
	b := make([]byte, headSize*4)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		f.Close()
		return nil, headFile{}, nil, err
	}
	hf, err := decodeHead(b[:n])
	var fi fs.FileInfo
	if err == nil {
		fi, err = f.Stat()
	}
	if err == nil && fi.Size() < hf.End {
		err = fmt.Errorf("%w: it ends too early", ErrDamaged)
	}
	if err != nil {
		f.Close()
		return nil, hf, nil, err
	}
	return f, hf, fi, nil
}

// Peek reads the Head.
func (s *State) Peek() error {
	f, hf, fi, err := s.openFile()
	if err != nil {
		return err
	}
	defer f.Close()
	s.Head, s.end, s.start, s.file = hf.H, hf.End, hf.Start, fi
	return nil
}

// Load reads all.
func (s *State) Load() error {
	f, hf, fi, err := s.openFile()
	if err != nil {
		return err
	}
	defer f.Close()
	s.loaded, s.Entries, s.GUIDs, s.Gone = true, nil, nil, nil
	changes, err := readChanges(f, headSize*4, hf.End)
	if err != nil {
		return err
	}
	s.Apply(hf.H, changes...)
	s.end, s.start, s.file = hf.End, hf.Start, fi
	return nil
}

func readChanges(f disk.File, from, to int64) (changes []Change, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, from, to-from), 1<<20)
	for at := from; at < to; {
		var h [8]byte
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		n := int64(binary.LittleEndian.Uint32(h[:]))
		if at+8+n > to {
			return nil, ErrDamaged
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if crc32.ChecksumIEEE(b) != binary.LittleEndian.Uint32(h[4:]) {
			return nil, ErrDamaged
		}
		var c Change
		if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&c); err != nil {
			return nil, ErrDamaged
		}
		changes = append(changes, c)
		at += 8 + n
	}
	return changes, nil
}

func encodeChange(c Change) []byte {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	gob.NewEncoder(&b).Encode(c)
	out := b.Bytes()
	binary.LittleEndian.PutUint32(out, uint32(len(out)-8))
	binary.LittleEndian.PutUint32(out[4:], crc32.ChecksumIEEE(out[8:]))
	return out
}

// Tail reads what others wrote.
func (s *State) Tail() (changes []Change, head Head, replaced bool, err error) {
	f, hf, fi, err := s.openFile()
	if err != nil {
		return nil, head, false, err
	}
	defer f.Close()
	if s.file == nil || !disk.SameFile(fi, s.file) || hf.End < s.end {
		return nil, head, true, nil
	}
	if s.loaded {
		changes, err = readChanges(f, s.end, hf.End)
		if err != nil {
			return nil, head, false, err
		}
	}
	s.end, s.file = hf.End, fi
	return changes, hf.H, false, nil
}

// Write appends a change.
func (s *State) Write(h Head, c Change, durable bool) (err error) {
	f, err := s.fsys.OpenFile(s.name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() {
		err = cmp.Or(err, f.Close())
	}()
	end := s.end
	if len(c.Put) > 0 || len(c.Gone.UIDs) > 0 || len(c.GUIDs) > 0 {
		rec := encodeChange(c)
		if _, err := f.WriteAt(rec, end); err != nil {
			return err
		}
		end += int64(len(rec))
	}
	if _, err := f.WriteAt(s.encodeHead(h, end, s.start), 0); err != nil {
		return err
	}
	if durable {
		if err := f.Datasync(); err != nil {
			return err
		}
	}
	s.end = end
	return nil
}

// Rewrite makes a new file.
func (s *State) Rewrite(durable bool) error {
	rec := encodeChange(Change{Put: s.Entries, GUIDs: s.GUIDs})
	for _, g := range s.Gone {
		rec = append(rec, encodeChange(Change{Gone: g})...)
	}
	end := int64(headSize*4 + len(rec))
	tmp := s.name + ".tmp"
	f, err := s.fsys.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(s.encodeHead(s.Head, end, end), rec...))
	if err == nil {
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
	s.end, s.start = end, end
	s.file, err = s.fsys.Stat(s.name)
	return err
}

// Grown reports whether a Rewrite pays.
func (s *State) Grown() bool { return s.end-s.start > 64<<10+s.start }

// SetAside renames.
func (s *State) SetAside(cause error) (string, error) {
	name := s.name + time.Now().UTC().Format(".bad-20060102T150405.000000")
	return name, s.fsys.Rename(s.name, name)
}

var _ = mailparts.UID(0)
