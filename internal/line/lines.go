package line

import "bytes"

// window is how far lines look ahead in a text that is known to be bad: who sends
// a CR in every octet must not have the whole buffer searched for each.
const window = 256

var cr = []byte{'\r'}

// lines passes a text on whose lines end with CRLF, and with nothing else.
type lines struct {
	normalize bool   // makes a CR or LF alone a CRLF, instead of ErrBare
	inner     bool   // not at the start of a line; a line starts after CRLF only, normalized or not
	cr        bool   // the last octet given out is a CR
	bad       bool   // there was a CR or LF alone
	owed      string // to be given out next, and b must wait
}

// pass copies what it can of b to p. Neither is empty. stop is an octet that it
// does not pass at the start of a line.
func (l *lines) pass(p, b []byte, stop int) (gave, took int, err error) {
	if l.owed != "" {
		gave = copy(p, l.owed)
		l.owed = l.owed[gave:]
		return gave, 0, nil
	}
	if l.bad {
		b = b[:min(len(b), window)]
	}
	if n := l.clean(b[:min(len(b), len(p))], stop); n > 0 {
		copy(p, b[:n])
		l.cr, l.inner = b[n-1] == '\r', b[n-1] != '\n'
		return n, n, nil
	}
	l.bad = true
	if !l.normalize {
		return 0, 0, ErrBare
	}
	return l.complete(p)
}

// complete makes a CRLF of the CR that was given out, or of the LF to come.
func (l *lines) complete(p []byte) (gave, took int, err error) {
	if l.cr {
		p[0], l.cr = '\n', false
		return 1, 0, nil
	}
	p[0], l.owed, l.inner = '\r', "\n", true
	return 1, 1, nil
}

// clean is the length of b's longest prefix that can be given out as it is. It is
// 0 where the CR before b, or the LF at its start, is alone.
func (l *lines) clean(b []byte, stop int) int {
	begin, inner := 0, l.inner
	if l.cr || b[0] == '\n' {
		if !l.cr || b[0] != '\n' {
			return 0
		}
		begin, inner = 1, false
	}
	n, ends := begin, 0
	for n < len(b) && (inner || int(b[n]) != stop) {
		i := bytes.IndexByte(b[n:], '\n')
		if i < 0 {
			n = len(b)
			break
		}
		if i == 0 || b[n+i-1] != '\r' {
			n += i // LF alone
			break
		}
		n += i + 1
		ends++
		inner = false
	}
	// Every CR must be one of those that were seen, or the last octet, whose LF may
	// come: to count them all at once takes half the time of a look at each line.
	crs := bytes.Count(b[begin:n], cr)
	if n > begin && b[n-1] == '\r' {
		crs--
	}
	if crs != ends {
		n = begin + loneCR(b[begin:n])
	}
	return n
}

// loneCR is the index after the first CR in b without an LF behind it.
func loneCR(b []byte) int {
	for n := 0; ; {
		n += bytes.IndexByte(b[n:], '\r') + 1
		if n == len(b) || b[n] != '\n' {
			return n
		}
	}
}
