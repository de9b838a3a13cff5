package index

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// What Peek, Load and Tail answer where there is nothing to read.
var (
	ErrNone    = errors.New("no index")
	ErrDamaged = errors.New("index is damaged")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

var errShort = damaged("a record ends too early")

// The letters of records.
const (
	beginRecord  = 'B'
	putRecord    = 'P'
	editRecord   = 'E'
	guidRecord   = 'G'
	goneRecord   = 'X'
	commitRecord = 'H'
)

const (
	frame     = 9         // checksum, length and letter, before a record's content
	maxRecord = 768 << 10 // what a record's content can have, see the limits of each kind
)

// builder makes records, each with the checksum of itself and all before it.
type builder struct {
	buf []byte
	sum uint32 // of the last one
	at  int    // where the one that is being made begins
}

func (b *builder) begin(letter byte) {
	b.at = len(b.buf)
	b.buf = append(b.buf, 0, 0, 0, 0, 0, 0, 0, 0, letter)
}

func (b *builder) end() {
	r := b.buf[b.at:]
	le.PutUint32(r[4:], uint32(len(r)-frame))
	b.sum = crc32.Update(b.sum, castagnoli, r[4:])
	le.PutUint32(r, b.sum)
}

// scanner reads records one after the other.
type scanner struct {
	r   io.ReaderAt
	at  int64 // where the next one begins
	end int64 // where there are no more
	sum uint32

	buf       []byte // what was read and not used yet is buf[used:]
	used      int
	readAhead int
}

// maxReadAhead is how much is read at once.
const maxReadAhead = 1 << 20

func newScanner(r io.ReaderAt, from, to int64, sum uint32) *scanner {
	return &scanner{r: r, at: from, end: to, sum: sum, readAhead: int(min(to-from, maxReadAhead))}
}

// next returns io.EOF after the last record. The content is valid until the call
// after it.
func (s *scanner) next() (letter byte, content []byte, err error) {
	if s.at == s.end {
		return 0, nil, io.EOF
	}
	head, err := s.peek(frame)
	if err != nil {
		return 0, nil, err
	}
	size := int64(le.Uint32(head[4:]))
	if size > maxRecord {
		return 0, nil, damaged("a record of %d octets", size)
	}
	r, err := s.peek(frame + int(size))
	if err != nil {
		return 0, nil, err
	}
	sum := crc32.Update(s.sum, castagnoli, r[4:])
	if sum != le.Uint32(r) {
		return 0, nil, damaged("the checksum of a record at %d is wrong", s.at)
	}
	s.sum = sum
	s.at += int64(len(r))
	s.used += len(r)
	return r[8], r[frame:], nil
}

// peek returns the next n octets, and does not go on.
func (s *scanner) peek(n int) ([]byte, error) {
	if int64(n) > s.end-s.at {
		return nil, errShort
	}
	if have := len(s.buf) - s.used; have < n {
		want := int(min(s.end-s.at, int64(max(n, s.readAhead))))
		if cap(s.buf) < want {
			s.buf = append(make([]byte, 0, want), s.buf[s.used:]...)
		} else {
			s.buf = s.buf[:copy(s.buf[:have], s.buf[s.used:])]
		}
		s.used = 0
		got, err := s.r.ReadAt(s.buf[have:want], s.at+int64(have))
		s.buf = s.buf[:have+got]
		if len(s.buf) < n {
			if err == io.EOF {
				err = errShort
			}
			return nil, err
		}
	}
	return s.buf[s.used : s.used+n], nil
}
