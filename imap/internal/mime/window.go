package mime

import (
	"bytes"
	"io"
)

// windowSize is how much of a message is in memory: more than a delimiter has.
const windowSize = 64 << 10

// window is the part of a message that a scan looks at.
type window struct {
	src  io.Reader
	buf  []byte
	r, w int   // buf[r:w] is read and not taken
	off  int64 // of buf[r] in the message
	eof  bool
	err  error // of src
}

func (w *window) reset(src io.Reader) {
	if w.buf == nil {
		w.buf = make([]byte, windowSize)
	}
	*w = window{src: src, buf: w.buf}
}

func (w *window) rest() []byte { return w.buf[w.r:w.w] }

func (w *window) skip(n int) {
	w.r += n
	w.off += int64(n)
}

// fill reads more, if there is room and the source has not ended.
func (w *window) fill() {
	if w.r > 0 {
		w.w = copy(w.buf, w.buf[w.r:w.w])
		w.r = 0
	}
	for tries := 0; w.w < len(w.buf) && !w.eof; tries++ {
		n, err := w.src.Read(w.buf[w.w:])
		w.w += n
		if err == nil && tries > 100 {
			err = io.ErrNoProgress
		}
		if err != nil {
			w.eof = true
			if err != io.EOF {
				w.err = err
			}
		}
		if n > 0 {
			return
		}
	}
}

// need reads until n octets are there, or all.
func (w *window) need(n int) {
	for w.w-w.r < n && !w.eof {
		w.fill()
	}
}

// line takes a line with its end. Of one that is longer than the window it takes a
// piece; the last line of a message may have no end either.
func (w *window) line() []byte {
	for seen := 0; ; {
		rest := w.rest()
		if i := bytes.IndexByte(rest[seen:], '\n'); i >= 0 {
			rest = rest[:seen+i+1]
		} else if !w.eof && len(rest) < len(w.buf) {
			seen = len(rest)
			w.fill()
			continue
		} else if n := len(rest); n > 1 && !w.eof && rest[n-1] == '\r' {
			rest = rest[:n-1] // its LF is to come
		}
		w.skip(len(rest))
		return rest
	}
}
