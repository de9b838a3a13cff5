package maildir

import (
	"bytes"
	"context"
	"io"
)

// A message has LF on disk and CRLF on the wire. Both directions are exact by one
// rule: on writing, CRLF becomes LF unless the octet before it is CR; on reading,
// an LF not after a CR becomes CRLF.

// lfWriter writes a message to disk. Wire is its size on the wire, where each
// bare LF that it was given is a CRLF.
type lfWriter struct {
	w          io.Writer
	in, buf    []byte // kept for the next message
	disk, wire int64
	cr         bool // a CR is held back: an LF may follow
	crcr       bool // and the octet before it was CR too
}

func (w *lfWriter) reset(to io.Writer) { *w = lfWriter{w: to, in: w.in, buf: w.buf} }

// copy writes a message up to io.EOF.
func (w *lfWriter) copy(ctx context.Context, msg io.Reader) error {
	if w.in == nil {
		w.in = make([]byte, 32<<10)
	}
	for {
		n, err := msg.Read(w.in)
		if n > 0 {
			if _, err := w.Write(w.in[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return w.finish()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

func (w *lfWriter) Write(p []byte) (int, error) {
	size := len(p)
	w.buf = w.buf[:0]
	w.wire += int64(size)
	for len(p) > 0 {
		if w.cr {
			p = w.afterCR(p)
			continue
		}
		i := bytes.IndexByte(p, '\r')
		if i < 0 {
			i = len(p)
		}
		w.plain(p[:i])
		if w.cr = i < len(p); w.cr {
			i++
		}
		p = p[i:]
	}
	return size, w.flush()
}

// plain takes octets without a CR; each LF among them is bare.
func (w *lfWriter) plain(p []byte) {
	if len(p) == 0 {
		return
	}
	w.wire += int64(bytes.Count(p, []byte{'\n'}))
	w.buf = append(w.buf, p...)
	w.crcr = false
}

// afterCR takes the octet after the CR that is held back.
func (w *lfWriter) afterCR(p []byte) []byte {
	switch p[0] {
	case '\r':
		w.buf = append(w.buf, '\r')
		w.crcr = true
		return p[1:]
	case '\n':
		if w.crcr {
			w.buf = append(w.buf, '\r')
		}
		w.buf = append(w.buf, '\n')
		w.cr, w.crcr = false, false
		return p[1:]
	}
	w.buf = append(w.buf, '\r')
	w.cr, w.crcr = false, false
	return p
}

func (w *lfWriter) flush() error {
	n, err := w.w.Write(w.buf)
	w.disk += int64(n)
	return err
}

// finish writes the CR that the message ends in, if it does.
func (w *lfWriter) finish() error {
	if !w.cr {
		return nil
	}
	w.buf, w.cr = append(w.buf[:0], '\r'), false
	return w.flush()
}

// crlfReader reads a message from disk.
type crlfReader struct {
	r    io.Reader
	buf  []byte // read and not yet given
	room []byte // what buf is part of
	cr   bool   // the last octet given was CR
	lf   bool   // of a CRLF the CR was given
	err  error  // after buf
}

func (r *crlfReader) Read(p []byte) (n int, err error) {
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

func (r *crlfReader) fill() {
	if r.room == nil {
		r.room = make([]byte, 16<<10)
	}
	n, err := r.r.Read(r.room)
	r.buf, r.err = r.room[:n], err
}

// next gives some of buf: up to an LF, or the two octets that one becomes.
func (r *crlfReader) next(p []byte) int {
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

// wireLen returns how many octets crlfReader makes of r.
func wireLen(r io.Reader) (int64, error) {
	buf := make([]byte, 32<<10)
	var size int64
	cr := false
	for {
		n, err := r.Read(buf)
		size += int64(n)
		for p := buf[:n]; len(p) > 0; {
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				cr = p[len(p)-1] == '\r'
				break
			}
			if i > 0 {
				cr = p[i-1] == '\r'
			}
			if !cr {
				size++
			}
			cr = false
			p = p[i+1:]
		}
		if err == io.EOF {
			return size, nil
		}
		if err != nil {
			return size, err
		}
	}
}
