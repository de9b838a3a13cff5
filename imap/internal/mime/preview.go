package mime

import (
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"
)

// previewLength is how many characters a preview has at most (RFC 8970 section 3.3).
const previewLength = 200

// Preview returns the beginning of the message's text for PREVIEW: of its first
// text/plain that is no attachment, or else of its first text/html. It is of the
// outermost part of a Scan, which kept a few kilobytes for it, and ok tells whether
// those sufficed. If not, PreviewPart is what to read for ReadPreview.
func (p *Part) Preview() (text string, ok bool) {
	if p.leadPart == nil {
		return "", true
	}
	text, full := previewOf(&pieces{p.lead}, p.leadPart)
	return text, p.leadWhole || full
}

// PreviewPart is the part that Preview is made of, nil if there is none.
func (p *Part) PreviewPart() *Part { return p.leadPart }

// ReadPreview makes a preview of a part whose body r has. It reads as much as it takes,
// up to a bound.
func ReadPreview(r io.Reader, p *Part) (string, error) {
	c := &checkedReader{r: io.LimitReader(r, 1<<20)}
	text, _ := previewOf(c, p)
	return text, c.err
}

// pieces is a reader of little at a time, since a preview needs little mostly.
type pieces struct{ b []byte }

func (r *pieces) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1<<10)], r.b)
	r.b = r.b[n:]
	return n, nil
}

// checkedReader keeps the error of a reader.
type checkedReader struct {
	r   io.Reader
	err error
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// previewOf also reports whether there was text enough.
func previewOf(r io.Reader, part *Part) (string, bool) {
	charset := part.Charset()
	r = NewTextReader(r, part.Encoding, charset)
	html := part.Is("text", "html")
	var text []byte
	for size := 800; ; size *= 4 {
		n := len(text)
		text = append(text, make([]byte, size)...)
		m, err := io.ReadFull(r, text[n:])
		text = text[:n+m]
		shown := text
		if isUTF8(charset) {
			shown = toUTF8(text, charset)
		}
		if html {
			shown = appendHTMLText(nil, shown)
		}
		if preview, full := squeeze(shown); full || err != nil {
			return preview, full
		}
	}
}

// squeeze makes all white space one space, drops what is no character, and cuts the
// text after previewLength. It reports whether there was so much.
func squeeze(text []byte) (string, bool) {
	b := make([]byte, 0, 2*previewLength)
	n, space := 0, false
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u034f': // nothing to see
			continue
		}
		if space {
			b, n, space = append(b, ' '), n+1, false
		}
		if n >= previewLength {
			return string(bytes.TrimRight(b, " ")), true
		}
		b, n = utf8.AppendRune(b, r), n+1
	}
	return string(b), n >= previewLength
}
