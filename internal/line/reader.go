// Package line is the framing that SMTP, LMTP and POP3 share: lines that end
// with CRLF and nothing else, and messages that end with a lone dot.
//
// [Reader] reads command and reply lines. [DotReader] reads a message from a
// Reader and [DotWriter] writes one; both know one end of data only,
// CRLF.CRLF, whatever a peer hopes that LF.LF and its kin might mean.
package line

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// What can be wrong with a line. After ErrBare and ErrTooLong the Reader stands
// at the start of the next line; after ErrEndless it must not be used.
var (
	ErrBare    = errors.New("CR or LF alone")
	ErrTooLong = errors.New("line too long")
	ErrEndless = errors.New("line without an end")
)

const (
	smallBuffer = 1 << 10  // enough for MAIL and 20 RCPT at once: all that an idle session holds
	largeBuffer = 32 << 10 // for messages, long lines and pipelined commands; the longest line
	maxSkip     = 1 << 20  // how much of a line over its limit is skipped
	tailSize    = 24       // enough for "~{9223372036854775807+}"
	startSize   = 104      // enough for the longest tag of IMAP
)

var crlf = []byte("\r\n")

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// Reader reads lines. It holds a large buffer only while there is input for it.
// Use NewReader.
type Reader struct {
	src   io.Reader
	buf   []byte          // small[:] or large[:]
	r, w  int             // buf[r:w] is unread
	line  int             // length of the last line, with CRLF, if Unread may put it back
	err   error           // of src, once buf is drained
	start [startSize]byte // of a line that was refused, in its first began octets
	began int
	tail  [tailSize]byte // of a line that was refused, its last octets at the end
	large *[largeBuffer]byte
	small [smallBuffer]byte
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader {
	r := &Reader{src: src}
	r.buf = r.small[:]
	return r
}

// Reset drops all that is buffered and goes on with src: nothing that came
// before TLS is read as if it came within (RFC 3207 section 4.2).
func (r *Reader) Reset(src io.Reader) {
	r.src, r.err, r.r, r.w, r.line = src, nil, 0, 0, 0
	r.release()
}

// Buffered is the number of octets that can be read without a read from below.
func (r *Reader) Buffered() int { return r.w - r.r }

// Pending reports whether the peer has not paused after the last line: octets are
// buffered, or the last read had no room for more.
func (r *Reader) Pending() bool { return r.r < r.w || r.w == len(r.buf) }

// Release gives the buffer back at the end of the session.
func (r *Reader) Release() { r.Reset(nil) }

func (r *Reader) release() {
	if r.large != nil {
		largeBuffers.Put(r.large)
		r.large, r.buf = nil, r.small[:]
	}
}

// fill reads once, making room first. A full small buffer gives way to a large
// one, an empty large one goes back to the pool.
func (r *Reader) fill() error {
	if r.err != nil {
		return r.err
	}
	switch {
	case r.r == r.w:
		if r.large != nil && r.w < largeBuffer {
			r.release() // the last read did not fill it: the peer has paused
		} else if r.large == nil && r.w == smallBuffer {
			r.grow() // the last read filled it: there is more
		}
		r.r, r.w = 0, 0
	case r.r > 0:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	case r.w == len(r.buf):
		r.grow()
	}
	return r.read()
}

// fillLarge is fill inside a message, where a large buffer is worth it.
func (r *Reader) fillLarge() error {
	if r.large == nil {
		r.grow()
	}
	if r.r == r.w {
		r.r, r.w = 0, 0
		if r.err == nil {
			return r.read()
		}
	}
	return r.fill()
}

func (r *Reader) read() error {
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		r.err = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	r.err = io.ErrNoProgress
	return r.err
}

// grow moves what is unread into a large buffer.
func (r *Reader) grow() {
	large := largeBuffers.Get().(*[largeBuffer]byte)
	r.w = copy(large[:], r.buf[r.r:r.w])
	r.r = 0
	r.large, r.buf = large, large[:]
}

// ReadLine returns the next line without its CRLF, valid until the next call.
// max, at most 32 KB, counts the CRLF. Nothing but CRLF ends a line (RFC 5321
// section 2.3.8): one with a CR or LF alone in it is skipped as a whole, ErrBare,
// and so is one that is longer, ErrTooLong. Both come with the start of the line,
// 8 octets at most, which tells what it was meant to be. What a peer sends before
// it goes away without ending the line is io.ErrUnexpectedEOF.
func (r *Reader) ReadLine(max int) ([]byte, error) {
	r.line = 0
	max = min(max, largeBuffer)
	for seen := 0; ; {
		unread := r.buf[r.r:r.w]
		if i := bytes.Index(unread[seen:], crlf); i >= 0 {
			return r.take(seen+i+len(crlf), max)
		}
		if len(unread) >= max {
			start := r.keep(unread)
			return start, r.skip()
		}
		seen = len(unread) - halfEnd(unread)
		if err := r.fill(); err != nil {
			if len(unread) > 0 {
				err = cut(err)
			}
			return nil, err
		}
	}
}

// halfEnd is the length of what may be half a CRLF at the end of b: 0 or 1.
func halfEnd(b []byte) int {
	if bytes.HasSuffix(b, crlf[:1]) {
		return 1
	}
	return 0
}

// cut is the error of an end inside a line or a message.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// take cuts a line of n octets with its CRLF.
func (r *Reader) take(n, max int) ([]byte, error) {
	l := r.buf[r.r : r.r+n-len(crlf)]
	r.r += n
	switch {
	case n > max:
		r.tail = [tailSize]byte{}
		r.keepTail(l)
		return r.keep(l), ErrTooLong
	case bytes.IndexByte(l, '\r') >= 0 || bytes.IndexByte(l, '\n') >= 0:
		r.tail = [tailSize]byte{}
		r.keepTail(l)
		return r.keep(l), ErrBare
	}
	r.line = n
	return l, nil
}

// Unread puts the line back that the call before, of ReadLine, returned: the next
// ReadLine returns it again.
func (r *Reader) Unread() { r.r, r.line = r.r-r.line, 0 }

// Skip drops n octets.
func (r *Reader) Skip(n int64) error {
	for {
		skipped := min(n, int64(r.w-r.r))
		r.r += int(skipped)
		if n -= skipped; n == 0 {
			return nil
		}
		if err := r.fillLarge(); err != nil {
			return cut(err)
		}
	}
}

// keep returns a copy of the start of a line that is skipped.
func (r *Reader) keep(l []byte) []byte {
	r.began = copy(r.start[:], l)
	return r.start[:min(r.began, 8)]
}

// Start is more of the start of the line that ReadLine has refused with ErrTooLong or
// ErrBare, 104 octets at most: what is longer than a verb, such as a tag of IMAP.
func (r *Reader) Start() []byte { return r.start[:r.began] }

// Tail is the end of the line that ReadLine has refused with ErrTooLong or ErrBare,
// without its CRLF: 24 octets, of a shorter line with NULs before it. What a line of
// IMAP announces stands there (RFC 7888 section 3).
func (r *Reader) Tail() []byte { return r.tail[:] }

// keepTail goes on with tail.
func (r *Reader) keepTail(l []byte) {
	l = l[max(0, len(l)-tailSize):]
	copy(r.tail[:], r.tail[len(l):])
	copy(r.tail[tailSize-len(l):], l)
}

// Read implements io.Reader for octets that are no lines. It gives out what is
// buffered before it reads more.
func (r *Reader) Read(p []byte) (int, error) {
	r.line = 0
	if len(p) == 0 {
		return 0, nil
	}
	if r.r == r.w {
		if err := r.fillLarge(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.buf[r.r:r.w])
	r.r += n
	return n, nil
}

// skip drops the rest of a line.
func (r *Reader) skip() error {
	r.tail = [tailSize]byte{}
	for skipped := 0; skipped < maxSkip; {
		unread := r.buf[r.r:r.w]
		if i := bytes.Index(unread, crlf); i >= 0 {
			r.keepTail(unread[:i])
			r.r += i + len(crlf)
			return ErrTooLong
		}
		r.keepTail(unread[:len(unread)-halfEnd(unread)])
		r.r = r.w - halfEnd(unread)
		skipped += len(unread) - halfEnd(unread)
		if err := r.fill(); err != nil {
			return cut(err)
		}
	}
	return ErrEndless
}
