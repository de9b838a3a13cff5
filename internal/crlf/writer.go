package crlf

import (
	"bytes"
	"context"
	"io"
)

// Writer writes a message to disk. The zero Writer needs a Reset.
type Writer struct {
	// KeepCRLF has the message on disk as it is on the wire: a bare LF becomes CRLF, and
	// every other octet is kept.
	KeepCRLF bool

	w          io.Writer
	in, buf    []byte // kept for the next message
	disk, wire int64
	cr         bool // a CR is held back: an LF may follow
	crcr       bool // and the octet before it was CR too; with KeepCRLF: the last octet was CR
}

// Reset begins a new message and keeps the buffers.
func (w *Writer) Reset(to io.Writer) {
	*w = Writer{w: to, in: w.in, buf: w.buf, KeepCRLF: w.KeepCRLF}
}

// Disk returns how many octets were written to disk.
func (w *Writer) Disk() int64 { return w.disk }

// Wire returns how many octets the message has on the wire, where each bare LF that
// it was given is a CRLF.
func (w *Writer) Wire() int64 { return w.wire }

// Copy writes a message up to io.EOF, and finishes it. It is the read error or
// ctx's otherwise.
func (w *Writer) Copy(ctx context.Context, msg io.Reader) error {
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
			return w.Finish()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// Write takes a part of the message, all of it unless the disk fails.
func (w *Writer) Write(p []byte) (int, error) {
	size := len(p)
	w.buf = w.buf[:0]
	if w.KeepCRLF {
		w.keep(p)
		return size, w.flush()
	}
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

// keep takes octets that stay as they are, but for bare LFs.
func (w *Writer) keep(p []byte) {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			i = len(p)
		}
		if w.buf = append(w.buf, p[:i]...); i > 0 {
			w.crcr = p[i-1] == '\r'
		}
		if i < len(p) {
			if !w.crcr {
				w.buf = append(w.buf, '\r')
			}
			w.buf, w.crcr = append(w.buf, '\n'), false
			i++
		}
		p = p[i:]
	}
	w.wire += int64(len(w.buf))
}

// plain takes octets without a CR; each LF among them is bare.
func (w *Writer) plain(p []byte) {
	if len(p) == 0 {
		return
	}
	w.wire += int64(bytes.Count(p, []byte{'\n'}))
	w.buf = append(w.buf, p...)
	w.crcr = false
}

// afterCR takes the octet after the CR that is held back.
func (w *Writer) afterCR(p []byte) []byte {
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

func (w *Writer) flush() error {
	n, err := w.w.Write(w.buf)
	w.disk += int64(n)
	return err
}

// Finish writes the CR that the message ends in, if it does.
func (w *Writer) Finish() error {
	if !w.cr {
		return nil
	}
	w.buf, w.cr = append(w.buf[:0], '\r'), false
	return w.flush()
}
