package mbox

import (
	"bytes"
	"fmt"
)

// errLength is of a Content-Length that was believed because what is there could not
// be seen in time.
var errLength = fmt.Errorf("%w: a Content-Length leads to no message", ErrFormat)

// maxView is the last octet of a body, the LF that it may lack, a blank line, and a
// From_ line.
const maxView = 1 + 2 + 2 + maxFrom

// hasLength reports whether the body at pos ends where the Content-Length says. In a
// stream that is known if the end is near, and believed if it is not.
func (s *scanner) hasLength() bool {
	n, ok := parseLength(s.m.fields[fieldContentLength].value)
	if !ok {
		return false
	}
	s.m.end = s.m.body + n
	s.known = s.leadsOn()
	return s.known || s.at == nil && !s.eof && s.m.end >= s.base+int64(len(s.buf))
}

// leadsOn reports whether at m.end the file ends or another message begins, which is
// m.next then.
func (s *scanner) leadsOn() bool {
	view := s.view(s.m.end - 1)
	if len(view) == 0 {
		return false
	}
	lf, most := view[0] == '\n', 1 // the blank line
	if !lf {
		most++ // and the LF that a last line lacks
	}
	for skip := 1; ; most-- {
		rest := view[skip:]
		if len(rest) == 0 || lf && isFrom(firstLine(rest)) {
			s.m.next = s.m.end - 1 + int64(skip)
			return true
		}
		n := blankLen(rest)
		if n == 0 || most == 0 {
			return false
		}
		skip, lf = skip+n, true
	}
}

// measured returns a part of a body whose length is told.
func (s *scanner) measured() []byte {
	left := s.m.end - s.offset()
	if left > 0 && (s.pos < len(s.buf) || s.more()) {
		return s.upTo(s.pos + int(min(left, int64(len(s.buf)-s.pos))))
	}
	s.known = s.known || left == 0 && s.leadsOn()
	if !s.known || left > 0 {
		if s.err == nil {
			s.err = errLength
		}
		s.finish(s.offset(), s.offset())
		return nil
	}
	for s.offset() < s.m.next && (s.pos < len(s.buf) || s.more()) {
		s.upTo(s.pos + int(min(s.m.next-s.offset(), int64(len(s.buf)-s.pos))))
	}
	s.finish(s.m.end, s.m.next)
	return nil
}

func firstLine(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i+1]
	}
	return b
}

// blankLen is how long the line end is that b begins with.
func blankLen(b []byte) int {
	switch {
	case len(b) > 0 && b[0] == '\n':
		return 1
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2
	}
	return 0
}

// isBlank is for a line with its end.
func isBlank(line []byte) bool { return len(line) > 0 && len(line) == blankLen(line) }
