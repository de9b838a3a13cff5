package crlf

import (
	"bytes"
	"io"
	"sync"
)

// Reader reads a message from disk as it is on the wire. The zero Reader needs a
// Reset.
type Reader struct {
	r    io.Reader
	buf  []byte          // read and not yet given
	room *[roomSize]byte // what buf is part of
	cr   bool            // the last octet given was CR
	lf   bool            // of a CRLF the CR was given
	err  error           // after buf
}

const roomSize = 16 << 10

var rooms = sync.Pool{New: func() any { return new([roomSize]byte) }}

// Reset begins a new message and keeps the buffer.
func (r *Reader) Reset(from io.Reader) { *r = Reader{r: from, room: r.room} }

// Release gives the buffer back, for who has read all that is wanted. It needs a Reset
// before it reads again.
func (r *Reader) Release() {
	if r.room != nil {
		rooms.Put(r.room)
	}
	*r = Reader{err: io.ErrClosedPipe}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.buf) == 0 {
			if n > 0 || r.err != nil {
				break
			}
			r.fill()
			continue
		}
		n += r.next(p[n:])
	}
	if n == 0 && len(r.buf) == 0 && len(p) > 0 {
		return 0, r.err
	}
	return n, nil
}

func (r *Reader) fill() {
	if r.room == nil {
		r.room = rooms.Get().(*[roomSize]byte)
	}
	n, err := r.r.Read(r.room[:])
	r.buf, r.err = r.room[:n], err
}

// next gives some of buf: up to an LF, or the two octets that one becomes.
func (r *Reader) next(p []byte) int {
	if r.buf[0] == '\n' && !r.cr && !r.lf {
		r.lf = true
		p[0] = '\r'
		return 1
	}
	i := 1
	if r.buf[0] != '\n' {
		if i = bytes.IndexByte(r.buf, '\n'); i < 0 {
			i = len(r.buf)
		}
	}
	n := copy(p, r.buf[:i])
	r.cr, r.lf = r.buf[n-1] == '\r', false
	r.buf = r.buf[n:]
	return n
}

// Len returns how many octets a Reader makes of r.
func Len(r io.Reader) (int64, error) {
	buf := make([]byte, 32<<10)
	var size int64
	cr := false
	for {
		n, err := r.Read(buf)
		size += lenOf(buf[:n], &cr)
		if err == io.EOF {
			return size, nil
		}
		if err != nil {
			return size, err
		}
	}
}
