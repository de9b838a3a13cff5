package mbox

import (
	"bytes"
	"io"
)

const (
	windowSize = 256 << 10
	readAhead  = 16 << 10 // least to read at once
	lookBack   = 8        // octets kept before pos, to see line ends there
)

// window is the part of a file around the place where a scanner is.
type window struct {
	r  io.Reader   // reads on from the end of buf
	at io.ReaderAt // instead of r, or beside it to look further; may be nil

	room  int // most to have at once; zero: windowSize
	buf   []byte
	base  int64 // place of buf in the file
	pos   int   // in buf: what comes next
	ahead int   // how much to read at once
	eof   bool  // buf ends where the file does
	err   error // another end
	peek  []byte
}

// offset is where pos is in the file.
func (w *window) offset() int64 { return w.base + int64(w.pos) }

// seek goes to off, which needs at unless it is in buf.
func (w *window) seek(off int64) {
	if i := off - w.base; i >= 0 && i <= int64(len(w.buf)) {
		w.pos = int(i)
		return
	}
	w.buf, w.base, w.pos = w.buf[:0], off, 0
	w.ahead, w.eof = readAhead, false
}

// more reads on, and forgets what is far before pos. False is the end: of the file,
// of the room or by an error.
func (w *window) more() bool {
	if w.eof || w.err != nil {
		return false
	}
	if w.buf == nil {
		if w.room == 0 {
			w.room = windowSize
		}
		w.buf = make([]byte, 0, w.room)
	}
	w.ahead = max(w.ahead, min(readAhead, cap(w.buf)/2))
	if drop := w.pos - lookBack; drop > 0 && len(w.buf)+w.ahead > cap(w.buf) {
		w.buf = w.buf[:copy(w.buf, w.buf[drop:])]
		w.base += int64(drop)
		w.pos = lookBack
	}
	had := len(w.buf)
	if had == cap(w.buf) {
		return false
	}
	free := w.buf[had:min(had+w.ahead, cap(w.buf))]
	w.ahead = min(2*w.ahead, cap(w.buf)/2)
	var n int
	var err error
	for range 100 {
		if w.r != nil {
			n, err = w.r.Read(free)
		} else {
			n, err = w.at.ReadAt(free, w.base+int64(had))
		}
		if n > 0 || err != nil {
			break
		}
		err = io.ErrNoProgress
	}
	w.buf = w.buf[:had+n]
	if w.eof = err == io.EOF; !w.eof {
		w.err = err
	}
	return n > 0
}

// line returns the line at pos: with its LF, unless the file ends first or there is
// no room for it. It is empty at the end.
func (w *window) line() []byte {
	for seen := 0; ; {
		if i := bytes.IndexByte(w.buf[w.pos+seen:], '\n'); i >= 0 {
			return w.buf[w.pos : w.pos+seen+i+1]
		}
		seen = len(w.buf) - w.pos
		if !w.more() {
			return w.buf[w.pos:]
		}
	}
}

// view returns octets from off on: maxView, or as many as the file has, or none if
// they are too far away to be seen.
func (w *window) view(off int64) []byte {
	for w.at == nil && off+maxView > w.base+int64(len(w.buf)) && w.more() {
	}
	if i := off - w.base; i >= 0 && i < int64(len(w.buf)) && (w.eof || int64(len(w.buf))-i >= maxView) {
		return w.buf[i:min(int64(len(w.buf)), i+maxView)]
	}
	if w.at == nil {
		return nil
	}
	if w.peek == nil {
		w.peek = make([]byte, maxView)
	}
	n, err := w.at.ReadAt(w.peek, off)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return w.peek[:n]
}
