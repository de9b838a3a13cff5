package mime

import "bytes"

var lineFeed = []byte("\n")

// body takes lines up to and with the next delimiter, or all that is left. It begins
// at the beginning of a line.
func (s *scan) body() (d delimiter, found bool) {
	divided := false
	for i := range s.frames {
		f := &s.frames[i]
		divided = divided || f.delim != nil && !f.closed
	}
	if !divided || s.full() {
		s.drain()
		return d, false
	}
	w := &s.win
	for {
		w.need(maxBoundary + 4)
		if d, found = s.match(w.rest()); found {
			s.skipLine()
			return d, true
		}
		if !s.nextDashes() {
			return d, false
		}
	}
}

// nextDashes takes octets up to the next line that begins with dashes.
func (s *scan) nextDashes() bool {
	w := &s.win
	for {
		rest := w.rest()
		if i := indexDashes(rest); i >= 0 {
			s.take(rest[:i+1])
			return true
		}
		if w.eof {
			s.take(rest)
			return false
		}
		// "\r\n-" may be the beginning of one.
		if n := len(rest) - 3; n > 0 {
			s.take(rest[:n])
		}
		w.fill()
	}
}

// indexDashes finds a line feed with two dashes after it. Dashes are rarer than line ends, and absent in base64:
// so it looks for them, and where it finds one that is none of it, for the next line.
func indexDashes(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '-')
		if i < 0 {
			return -1
		}
		if at += i; at > 0 && b[at-1] == '\n' {
			if bytes.HasPrefix(b[at:], dashes) {
				return at - 1
			}
		}
		if i = bytes.IndexByte(b[at:], '\n'); i < 0 {
			return -1
		}
		if at += i + 1; bytes.HasPrefix(b[at:], dashes) {
			return at - 1
		}
	}
}

// drain takes what is left.
func (s *scan) drain() {
	for {
		s.take(s.win.rest())
		if s.win.eof {
			return
		}
		s.win.fill()
	}
}

// take counts octets of bodies.
func (s *scan) take(b []byte) {
	if len(b) == 0 {
		return
	}
	s.lines += int64(bytes.Count(b, lineFeed))
	s.lead.add(b)
	s.lastEnd = lineEnd(b)
	s.win.skip(len(b))
}

// skipLine takes the rest of a line.
func (s *scan) skipLine() {
	for {
		line := s.win.line()
		if n := lineEnd(line); n > 0 || len(line) == 0 {
			s.lastEnd = n
			s.lines += int64(min(n, 1))
			return
		}
	}
}

// lineEnd returns how many octets of a line are its end.
func lineEnd(line []byte) int {
	n := len(line)
	switch {
	case n == 0 || line[n-1] != '\n':
		return 0
	case n > 1 && line[n-2] == '\r':
		return 2
	}
	return 1
}
