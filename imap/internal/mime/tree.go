package mime

import "encoding/binary"

// The kinds of parts in an encoded tree: what BODY[…], BINARY[…] and SEARCH have to
// tell apart.
const (
	kindOther = iota
	kindPlain
	kindHTML
	kindText
	kindMultipart
	kindMessage
)

var kinds = [...][2]string{{"application", "octet-stream"}, {"text", "plain"}, {"text", "html"}, {"text", "x-other"},
	{"multipart", "mixed"}, {"message", "rfc822"}}

// flagPreviewPart is set in the kind of the part that the preview is made of.
const flagPreviewPart = 8

// appendTree appends a part and those in it: its kind, offsets relative to the one
// before, sizes, lines, encoding, and charset or the number of its children.
func appendTree(b []byte, p *Part) []byte {
	w := treeWriter{b: b, preview: p.leadPart}
	w.part(p)
	return w.b
}

type treeWriter struct {
	b       []byte
	at      int64
	preview *Part
}

func (w *treeWriter) part(p *Part) {
	kind := kindOf(p)
	if p == w.preview {
		kind |= flagPreviewPart
	}
	w.number(int64(kind))
	w.number(p.Header.Offset - w.at)
	w.number(p.Header.Size)
	w.number(p.HeaderLines)
	w.number(p.Body.Size)
	w.number(p.Lines)
	w.at = p.Body.Offset
	w.string(p.Encoding)
	switch kind &^ flagPreviewPart {
	case kindPlain, kindHTML, kindText:
		w.string(p.Charset())
	case kindMultipart, kindMessage:
		w.number(int64(len(p.Children)))
		for _, c := range p.Children {
			w.part(c)
		}
	}
}

func (w *treeWriter) number(n int64) { w.b = binary.AppendVarint(w.b, n) }

func (w *treeWriter) string(s string) {
	s = s[:min(len(s), 100)]
	w.number(int64(len(s)))
	w.b = append(w.b, s...)
}

func kindOf(p *Part) int {
	switch {
	case p.IsMultipart():
		return kindMultipart
	case p.IsMessage():
		return kindMessage
	case p.Is("text", "plain"):
		return kindPlain
	case p.Is("text", "html"):
		return kindHTML
	case p.IsText():
		return kindText
	}
	return kindOther
}

// Tree returns the parts with what sections, BINARY and SEARCH need of them: offsets,
// sizes, lines, encodings, the charset of text. Of types it has text/plain, text/html,
// multipart and message as far as they matter, and application/octet-stream for the
// rest; BodyStructure has all of it. It reports false if it is damaged.
func (d *Derived) Tree() (*Part, bool) {
	r := treeReader{b: d.item(itemTree)}
	p := r.part(0)
	if r.bad || len(r.b) > 0 {
		return nil, false
	}
	p.leadPart = r.preview
	return p, true
}

type treeReader struct {
	b       []byte
	at      int64
	bad     bool
	preview *Part
}

func (r *treeReader) part(depth int) *Part {
	p := new(Part)
	kind := r.number()
	if kind >= 0 && kind&flagPreviewPart != 0 {
		kind &^= flagPreviewPart
		r.preview = p
	}
	p.Header.Offset = r.at + r.number()
	p.Header.Size = r.number()
	p.HeaderLines = r.number()
	p.Body.Size = r.number()
	p.Lines = r.number()
	p.Body.Offset = p.Header.End()
	p.Encoding = r.string()
	const most = 1 << 50
	for _, n := range []int64{p.Header.Offset, p.Header.Size, p.HeaderLines, p.Body.Size, p.Lines} {
		r.bad = r.bad || n < 0 || n > most
	}
	if r.bad = r.bad || kind < 0 || kind >= int64(len(kinds)) || depth > 10_000; r.bad {
		return p
	}
	r.at = p.Body.Offset
	p.Type, p.Subtype = kinds[kind][0], kinds[kind][1]
	switch kind {
	case kindPlain, kindHTML, kindText:
		p.Params = []Param{{"charset", r.string()}}
	case kindMultipart, kindMessage:
		n := r.number()
		if n < 1 || n > int64(len(r.b)) || kind == kindMessage && n != 1 {
			r.bad = true
		}
		for i := int64(0); i < n && !r.bad; i++ {
			c := r.part(depth + 1)
			r.bad = r.bad || c.Header.Offset < p.Body.Offset || c.Body.End() > p.Body.End()
			if p.Children = append(p.Children, c); kind == kindMessage {
				c.Envelope = new(Envelope)
			}
		}
	}
	return p
}

func (r *treeReader) number() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *treeReader) string() string {
	n := r.number()
	if n < 0 || n > int64(len(r.b)) {
		r.bad = true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
