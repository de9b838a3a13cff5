package line

import (
	"errors"
	"io"
)

// ErrChunkEnd is ChunkReader's answer at the end of a chunk that is not the last:
// the Reader stands after it, and Next begins another.
var ErrChunkEnd = errors.New("end of a chunk")

// ChunkReader reads one message that comes from a Reader in chunks of known sizes
// (RFC 3030 section 2), whatever is in them. A text must have lines as a DotReader's:
// Read fails with ErrBare at a CR or LF alone, though not where a chunk ends inside
// a CRLF. If its last line has no CRLF, Read adds one. A connection that ends before
// a chunk does is io.ErrUnexpectedEOF.
type ChunkReader struct {
	Binary    bool // any octets, unchanged
	Normalize bool // makes a CR or LF alone in a text a CRLF instead of an error

	r     *Reader
	lines lines
	left  int64 // of the chunk
	last  bool
	inner bool  // the last octet given out is no LF
	err   error // sticky
}

// NewChunkReader returns a ChunkReader before its first chunk.
func NewChunkReader(r *Reader) *ChunkReader { return &ChunkReader{r: r} }

// Next begins a chunk of n octets. The one before must have been read or skipped.
func (c *ChunkReader) Next(n int64, last bool) { c.left, c.last = n, last }

// Left is how much of the chunk is still to be read.
func (c *ChunkReader) Left() int64 { return c.left }

// Last reports whether the chunk is the last.
func (c *ChunkReader) Last() bool { return c.last }

// Read implements io.Reader. It gives out what is buffered before it waits for
// more. io.EOF is the end of the last chunk.
func (c *ChunkReader) Read(p []byte) (n int, err error) {
	c.lines.normalize = c.Normalize
	for n < len(p) && c.err == nil {
		b := c.buffered()
		switch {
		case len(b) > 0:
			n += c.step(p[n:], b)
		case n > 0:
			return n, nil
		case c.left > 0:
			c.err = cut(c.r.fillLarge())
		case !c.last:
			return 0, ErrChunkEnd
		default:
			n = c.end(p)
		}
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, c.err
}

// buffered is what there is of the chunk without a wait.
func (c *ChunkReader) buffered() []byte {
	b := c.r.buf[c.r.r:c.r.w]
	return b[:min(int64(len(b)), c.left)]
}

// step moves what it can from b to p, which has room.
func (c *ChunkReader) step(p, b []byte) (n int) {
	var took int
	if c.Binary {
		n = copy(p, b)
		took = n
	} else {
		n, took, c.err = c.lines.pass(p, b, -1)
	}
	if n > 0 {
		c.inner = p[n-1] != '\n'
	}
	c.r.r += took
	c.left -= int64(took)
	return n
}

// end gives out what a text lacks at its end, and then io.EOF.
func (c *ChunkReader) end(p []byte) (n int) {
	l := &c.lines
	switch {
	case l.owed != "":
		n = copy(p, l.owed)
		l.owed = l.owed[n:]
		c.inner = l.owed != ""
	case c.Binary || !c.inner:
		c.err = io.EOF
	case !l.cr:
		l.owed = "\r\n"
	case c.Normalize:
		l.owed, l.cr = "\n", false
	default:
		c.err = ErrBare
	}
	return n
}

// Skip drops the rest of the chunk, past whatever made Read fail.
func (c *ChunkReader) Skip() error {
	if c.err != nil && c.err != ErrBare {
		return c.err
	}
	err := c.r.Skip(c.left)
	if err != nil {
		c.err = err
		return err
	}
	c.left = 0
	return nil
}
