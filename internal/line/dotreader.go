package line

import (
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
	lines lines
	err   error // sticky
}

// NewDotReader returns a DotReader at the start of a message.
func NewDotReader(r *Reader) *DotReader { return &DotReader{r: r} }

// Read implements io.Reader. It gives out what is buffered before it waits for
// more.
func (d *DotReader) Read(p []byte) (n int, err error) {
	d.lines.normalize = d.Normalize
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
	b := d.r.buf[d.r.r:d.r.w]
	if len(b) == 0 {
		return 0, true
	}
	if !d.lines.inner && b[0] == '.' {
		return 0, d.dot(b)
	}
	n, took, err := d.lines.pass(p, b, '.')
	d.r.r += took
	d.err = err
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
		d.lines.inner = true
	}
	return false
}

// endOfData is RFC 5321 section 4.1.1.4's, with the end of the line before.
const endOfData = "\r\n.\r\n"

// Discard reads on to the end of the message, at most max octets, past whatever
// made Read fail. Nil means that the Reader stands after the message.
func (d *DotReader) Discard(max int64) error {
	if d.err == io.EOF {
		return nil
	}
	if d.err != nil && d.err != ErrBare {
		return d.err
	}
	seen := d.seen()
	for read := int64(0); read <= max; {
		b := d.r.buf[d.r.r:d.r.w]
		for i, c := range b {
			switch {
			case c == endOfData[seen]:
				seen++
			case c == '\r':
				seen = 1
			default:
				seen = 0
			}
			if seen == len(endOfData) {
				d.r.r += i + 1
				d.err = io.EOF
				return nil
			}
		}
		read += int64(len(b))
		d.r.r = d.r.w
		if d.err = cut(d.r.fillLarge()); d.err != nil {
			return d.err
		}
	}
	d.err = ErrUnfinished
	return d.err
}

// seen is how much of endOfData Read has passed.
func (d *DotReader) seen() int {
	switch {
	case !d.lines.inner:
		return len("\r\n")
	case d.lines.cr:
		return len("\r")
	}
	return 0
}
