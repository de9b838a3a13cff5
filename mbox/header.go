package mbox

import "bytes"

// ownPeek is how much of a line tells whether it begins one of ownFields.
const ownPeek = len("Content-Length:")

// headerFilter takes fields out of the header that a text begins with. It holds back
// the first octets of a line, until it knows.
type headerFilter struct {
	take      fieldSet
	keepStart bool   // what continues X-Mbox-Added is the message's
	body      bool   // behind the header
	own       bool   // in a field that is taken out
	mark      bool   // which is X-Mbox-Added
	inner     bool   // in a line, of which is known what it is
	held      []byte // the first octets of a line
}

// append appends the header in the text p to dst, but for what is taken out, and
// returns what is behind the header too.
func (h *headerFilter) append(dst, p []byte) (header, body []byte) {
	for len(p) > 0 && !h.body {
		if h.inner {
			i := bytes.IndexByte(p, '\n') + 1
			if h.inner = i == 0; h.inner {
				i = len(p)
			}
			if !h.own {
				dst = append(dst, p[:i]...)
			}
			p = p[i:]
			continue
		}
		n := min(len(p), ownPeek-len(h.held))
		if i := bytes.IndexByte(p[:n], '\n') + 1; i > 0 {
			n = i
		}
		h.held = append(h.held, p[:n]...)
		p = p[n:]
		if len(h.held) == ownPeek || h.held[len(h.held)-1] == '\n' {
			dst = h.decide(dst)
		}
	}
	return dst, p
}

// decide says what the line is whose first octets are held.
func (h *headerFilter) decide(dst []byte) []byte {
	line := h.held
	switch {
	case line[0] == ' ' || line[0] == '\t':
		h.own = h.own && !(h.mark && h.keepStart)
	case isBlank(line):
		h.own, h.body = false, true
	default:
		i := fieldOf(line)
		h.own = h.take.has(i)
		h.mark = i == fieldXMboxAdded
	}
	if !h.own {
		dst = append(dst, line...)
	}
	h.inner = line[len(line)-1] != '\n'
	h.held = h.held[:0]
	return dst
}

// finish appends what is held back at the end of the text.
func (h *headerFilter) finish(dst []byte) []byte {
	if len(h.held) > 0 {
		dst = h.decide(dst)
	}
	return dst
}
