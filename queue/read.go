package queue

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/mailparts/mailparts/internal/disk"
)

// read returns the Entry of it as it stands in the log.
func (s *FileSpool) read(it *item) (*Entry, error) {
	for {
		at, err := s.whereState(it)
		if err != nil {
			return nil, err
		}
		rec, err := s.record(at)
		if err != nil {
			if s.moved(it, at) {
				continue
			}
			return nil, fmt.Errorf("queue: %s: %w", it.id, err)
		}
		if e := rec.find(it.id); e != nil {
			return e.entry(), nil
		}
		return nil, fmt.Errorf("queue: %s: %w", it.id, errLine)
	}
}

func (s *FileSpool) whereState(it *item) (place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return place{}, errClosed
	case s.items[it.id] != it:
		return place{}, ErrNoEntry
	}
	return it.state, nil
}

// moved reports whether it is no longer at at.
func (s *FileSpool) moved(it *item, at place) bool {
	now, err := s.whereState(it)
	return err != nil || now != at
}

// parsed keeps the last put record that was read: the entries of a message to
// many destinations are leased one after the other.
type parsed struct {
	mu  sync.Mutex
	at  place
	rec *record
}

func (p *parsed) get(at place) *record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at != at {
		return nil
	}
	return p.rec
}

func (p *parsed) put(at place, rec *record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.rec = at, rec
}

// record reads the line at at.
func (s *FileSpool) record(at place) (*record, error) {
	if rec := s.parsed.get(at); rec != nil {
		return rec, nil
	}
	f, err := s.fsys.OpenFile(s.logFile(at.seg.n), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := readRecord(f, int64(at.off), at.line, s.mark)
	if err == nil && len(rec.Put) > 1 {
		s.parsed.put(at, rec)
	}
	return rec, err
}

func readRecord(src io.ReaderAt, off int64, line int32, mark string) (*record, error) {
	b := make([]byte, line)
	if n, err := src.ReadAt(b, off); n < len(b) {
		return nil, unexpected(err)
	}
	return parseLine(b, mark)
}

// Open implements Spool. It reads any entry's message, leased or not.
func (s *FileSpool) Open(ctx context.Context, e *Entry) (io.ReadSeekCloser, error) {
	for {
		m, at, err := s.whereContent(e.ID)
		if err != nil {
			return nil, err
		}
		f, off, err := s.openContent(m, at)
		if err == nil {
			return &reader{
				src: io.NewSectionReader(f, off, m.size), f: f,
				want: m.sum, h: crc32.New(castagnoli),
			}, nil
		}
		if _, now, gone := s.whereContent(e.ID); gone == nil && now == at || !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

func (s *FileSpool) whereContent(id string) (*message, place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	switch {
	case s.closed:
		return nil, place{}, errClosed
	case it == nil:
		return nil, place{}, ErrNoEntry
	}
	return it.msg, it.msg.at, nil
}

func (s *FileSpool) openContent(m *message, at place) (f disk.File, off int64, err error) {
	name := s.bigFile(m.big)
	if m.big == "" {
		name, off = s.logFile(at.seg.n), int64(at.off)+int64(at.line)
	}
	f, err = s.fsys.OpenFile(name, os.O_RDONLY, 0)
	return f, off, err
}

var errContent = errors.New("queue: content is not what was put")

// reader reads a message, and checks what is read from start to end.
type reader struct {
	src     *io.SectionReader
	f       disk.File
	want    uint32
	h       hash.Hash32 // of what lies before checked
	pos     int64
	checked int64
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.src.Read(b)
	if r.pos <= r.checked && r.pos+int64(n) > r.checked {
		r.h.Write(b[r.checked-r.pos : n])
		r.checked = r.pos + int64(n)
	}
	r.pos += int64(n)
	if err == io.EOF && (r.pos < r.src.Size() || r.checked == r.src.Size() && r.h.Sum32() != r.want) {
		err = errContent
	}
	return n, err
}

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	pos, err := r.src.Seek(offset, whence)
	if err == nil {
		r.pos = pos
	}
	return pos, err
}

func (r *reader) Close() error { return r.f.Close() }
