package line

import (
	"bytes"
	"errors"
	"io"
)

// ErrUnfinished is Discard's answer to a message that goes on past its bound:
// the Reader stands inside it, and nothing after may be read as commands.
var ErrUnfinished = errors.New("message too long to skip")

// DotReader reads one message up to CRLF.CRLF from a Reader, which then stands
// after it, and takes the transparency dots out (RFC 5321 section 4.5.2). Read
// fails with ErrBare at a CR or LF alone; such a message can only be discarded.
// A connection that ends before the message does is io.ErrUnexpectedEOF.
type DotReader struct {
	// Normalize makes a CR or LF alone a CRLF instead of an error. It never ends
	// a message, and no transparency dot is taken out after it.
	Normalize bool

	r     *Reader
	inner bool  // not at the start of a line
	cr    bool  // a CR was given out whose LF comes next
	lf    bool  // an LF is owed: Normalize
	err   error // sticky
}

// NewDotReader returns a DotReader at the start of a message.
func NewDotReader(r *Reader) *DotReader { return &DotReader{r: r} }

// Read implements io.Reader. It gives out what is buffered before it waits for
// more.
func (d *DotReader) Read(p []byte) (n int, err error) {
	for n < len(p) && d.err == nil {
		m, wait := d.step(p[n:])
		n += m
		if wait && n > 0 {
			break
		}
		if wait {
			d.err = cut(d.r.fillLarge())
		}
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, d.err
}

// step moves what it can from the buffer to p, which has room. wait says that
// the next octets decide, and that they are not here yet.
func (d *DotReader) step(p []byte) (n int, wait bool) {
	if d.lf {
		p[0], d.lf = '\n', false
		return 1, false
	}
	b := d.r.buf[d.r.r:d.r.w]
	if len(b) == 0 {
		return 0, true
	}
	if !d.inner && b[0] == '.' {
		return 0, d.dot(b)
	}
	n = d.clean(b[:min(len(b), len(p))])
	if n == 0 {
		return d.odd(p, b)
	}
	copy(p, b[:n])
	d.r.r += n
	d.inner, d.cr = b[n-1] != '\n', false
	return n, false
}

// dot decides about a dot at the start of a line: the end, or transparency.
func (d *DotReader) dot(b []byte) (wait bool) {
	switch {
	case len(b) == 1 || len(b) == 2 && b[1] == '\r':
		return true
	case b[1] == '\r' && b[2] == '\n':
		d.r.r += 3
		d.err = io.EOF
	default:
		d.r.r++
		d.inner = true
	}
	return false
}

// clean is the length of b's longest prefix that can be given out as it is:
// whole lines without a dot at their start and one partial line. The CR of a
// CRLF that is cut stays behind unless its LF is known to follow.
func (d *DotReader) clean(b []byte) int {
	n, inner := 0, d.inner
	if d.cr && b[0] == '\n' {
		n, inner = 1, false
	}
	for n < len(b) {
		rest := b[n:]
		if !inner && rest[0] == '.' {
			return n
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			if j := bytes.IndexByte(rest, '\r'); j >= 0 {
				return n + j
			}
			return len(b)
		}
		if j := bytes.IndexByte(rest[:i], '\r'); j != i-1 || i == 0 {
			if j < 0 {
				j = i // LF alone
			}
			return n + j
		}
		n += i + 1
		inner = false
	}
	return n
}

// odd handles a CR or LF at b[0] that clean stopped at: a CRLF for which p has
// no room, one that is not complete yet, or an octet alone.
func (d *DotReader) odd(p, b []byte) (n int, wait bool) {
	switch {
	case b[0] == '\r' && len(b) == 1:
		return 0, true
	case b[0] == '\r' && b[1] == '\n':
		d.cr = true
	case d.Normalize:
		d.lf = true
	default:
		d.err = ErrBare
		return 0, false
	}
	p[0] = '\r'
	d.r.r++
	d.inner = true // so that a dot after an octet alone is content
	return 1, false
}

// Discard reads on to the end of the message, at most max octets, past whatever
// made Read fail. Nil means that the Reader stands after the message.
func (d *DotReader) Discard(max int64) error {
	if d.err == io.EOF {
		return nil
	}
	if d.err != nil && d.err != ErrBare {
		return d.err
	}
	d.err = nil
	d.Normalize = true
	var p [4096]byte
	for read := int64(0); ; {
		n, err := d.Read(p[:])
		read += int64(n)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case read > max:
			d.err = ErrUnfinished
			return d.err
		}
	}
}
