package mbox

import "bytes"

// quoter changes lines that begin with "From " after any number of ">"s. It holds
// back what may be the beginning of one.
type quoter struct {
	do      change
	inner   bool // behind the place where such a line can be told
	gts     int  // behind so many ">"s at the start of a line
	owed    bool // a ">" is held back
	held    int  // octets of "From " that are held back
	changed bool // there was a line to change

	seen [3]bool // there was a line of "From " after no ">", one, more
}

type change uint8

const (
	quoteNone change = iota
	quoteFrom        // a ">" before "From " (mboxo)
	quoteAll         // a ">" before any ">"s and "From " (mboxrd)
	unquote          // one ">" off again
)

// append appends the text p to dst, as it is to be. What was held back comes with
// more text, or with finish.
func (q *quoter) append(dst, p []byte) []byte {
	for len(p) > 0 {
		switch {
		case q.inner || q.do == quoteNone:
			i := bytes.IndexByte(p, '\n') + 1
			if q.inner = i == 0 || q.do == quoteNone; q.inner {
				i = len(p)
			}
			dst = append(dst, p[:i]...)
			p = p[i:]
		case p[0] == '>' && q.held == 0:
			if q.gts == 0 && q.do == unquote {
				q.owed = true
			} else {
				dst = append(dst, '>')
			}
			q.gts++
			p = p[1:]
		case p[0] == fromWord[q.held]:
			p = p[1:]
			if q.held++; q.held == len(fromWord) {
				dst = q.from(dst)
			}
		default:
			dst = q.finish(dst)
			q.inner = true
		}
	}
	return dst
}

// from appends "From " where it begins a line.
func (q *quoter) from(dst []byte) []byte {
	q.seen[min(q.gts, len(q.seen)-1)] = true
	switch {
	case q.do == quoteAll || q.do == quoteFrom && q.gts == 0:
		dst = append(dst, '>')
		q.changed = true
	case q.do == unquote && q.owed:
		q.owed, q.changed = false, true
	}
	dst = q.finish(dst)
	q.inner = true
	return dst
}

// finish appends what is held back.
func (q *quoter) finish(dst []byte) []byte {
	if q.owed {
		dst = append(dst, '>')
	}
	dst = append(dst, fromWord[:q.held]...)
	q.gts, q.owed, q.held = 0, false, 0
	return dst
}
