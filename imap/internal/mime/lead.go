package mime

// What is kept of the text that a preview is made of: HTML has much before its text.
const (
	leadPlain = 4 << 10
	leadHTML  = 16 << 10
)

// lead gathers the first octets of the text of a message while it is scanned: of the
// first text/plain that is no attachment, or else of the first text/html.
type lead struct {
	part, next *Part // whose octets buf has; who is being gathered
	buf        []byte
	room       int  // octets that may still be gathered
	cut        bool // there were more
}

// begin tells that the body of a leaf begins.
func (l *lead) begin(p *Part) {
	plain := p.Is("text", "plain")
	switch {
	case !plain && !p.Is("text", "html"), equalFold(p.Disposition, "attachment"):
		return
	case l.part != nil && (!plain || l.part.Is("text", "plain")) && len(l.buf) > 0:
		return
	}
	l.part, l.next, l.buf, l.cut = p, p, l.buf[:0], false
	if l.room = leadHTML; plain {
		l.room = leadPlain
	}
}

// add takes octets of any body.
func (l *lead) add(b []byte) {
	if l.next == nil {
		return
	}
	n := min(len(b), l.room)
	if cap(l.buf) == 0 {
		l.buf = make([]byte, 0, leadPlain)
	}
	l.buf = append(l.buf, b[:n]...)
	l.room -= n
	if n < len(b) {
		l.cut = true
		l.end()
	}
}

// end tells that a body ended.
func (l *lead) end() { l.next = nil }

// result returns what was gathered, and whether that is the whole body.
func (l *lead) result() ([]byte, *Part, bool) { return l.buf, l.part, !l.cut }
