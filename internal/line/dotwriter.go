package line

import (
	"bytes"
	"io"
)

// DotWriter writes one message with transparency dots (RFC 5321 section 4.5.2).
// Write fails with ErrBare at a CR or LF alone and has then written nothing of
// that call past it: a peer might take it for an end of data. Close ends the
// message with CRLF.CRLF; to abandon one, close the connection instead.
type DotWriter struct {
	// LoneCR lets a CR alone pass: RFC 1939 has no word against it, and a store's
	// octets must go out as they are.
	LoneCR bool

	w     io.Writer
	inner bool // not at the start of a line
	cr    bool // the last octet was CR
}

// NewDotWriter returns a DotWriter at the start of a message. w should be
// buffered.
func NewDotWriter(w io.Writer) *DotWriter { return &DotWriter{w: w} }

var dot = []byte{'.'}

// Write implements io.Writer.
func (d *DotWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if !d.inner && p[n] == '.' {
			if _, err := d.w.Write(dot); err != nil {
				return n, err
			}
		}
		m, bare := d.run(p[n:])
		k, err := d.w.Write(p[n : n+m])
		n += k
		if err != nil {
			return n, err
		}
		if bare {
			return n, ErrBare
		}
	}
	return n, nil
}

// run is the length of p up to the next line that begins with a dot, or up to
// an octet that must not be written.
func (d *DotWriter) run(p []byte) (n int, bare bool) {
	for n < len(p) {
		rest := p[n:]
		if !d.inner && n > 0 && rest[0] == '.' {
			return n, false
		}
		if d.cr && rest[0] != '\n' && !d.LoneCR {
			return n, true
		}
		i := bytes.IndexByte(rest, '\n')
		body := rest
		if i >= 0 {
			body = rest[:i]
		}
		if !d.LoneCR {
			if j := bytes.IndexByte(body, '\r'); j >= 0 && j < len(body)-1 {
				return n, true
			}
		}
		if len(body) > 0 {
			d.cr, d.inner = body[len(body)-1] == '\r', true
		}
		if i < 0 {
			return len(p), false
		}
		if !d.cr {
			return n, true
		}
		n += i + 1
		d.inner, d.cr = false, false
	}
	return n, false
}

// Close ends the message, with a CRLF more if the last line has none.
func (d *DotWriter) Close() error {
	end := ".\r\n"
	switch {
	case d.cr && !d.LoneCR:
		return ErrBare
	case d.inner:
		end = "\r\n.\r\n"
	}
	_, err := io.WriteString(d.w, end)
	return err
}
