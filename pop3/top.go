package pop3

import (
	"bytes"
	"io"
)

// top is TOP msg n (RFC 1939 section 7).
func (s *session) top(args [][]byte) error {
	i, err := s.drop.number(args[0])
	if err != nil {
		return err
	}
	lines, ok := parseNumber(args[1])
	if !ok {
		return errNotNumber
	}
	body, err := s.body(i)
	if err != nil {
		return err
	}
	defer body.Close()
	return s.send(&topReader{r: body, lines: lines}, func() { s.out.print("+OK Top of message follows\r\n") })
}

// topReader yields a message's header, the empty line after it and a number of
// lines of its body. It reads no further than the block in which these end.
type topReader struct {
	r     io.Reader
	lines int // of the body that are still wanted

	inBody bool
	column int // octets of the current line that were seen, when they may be an empty line: at most 2
	done   bool
}

// Read implements io.Reader.
func (t *topReader) Read(p []byte) (int, error) {
	if t.done {
		return 0, io.EOF
	}
	n, err := t.r.Read(p)
	if n = t.cut(p[:n]); t.done {
		return n, io.EOF
	}
	return n, err
}

// cut returns how much of p is wanted.
func (t *topReader) cut(p []byte) int {
	for n := 0; n < len(p); {
		i := bytes.IndexByte(p[n:], '\n')
		if i < 0 {
			t.column = min(t.column+len(p)-n, 2)
			return len(p)
		}
		// A line of one octet before its LF is empty: a store's lines end with CRLF.
		empty := t.column+i <= 1
		n += i + 1
		t.column = 0
		switch {
		case t.inBody:
			t.lines--
		case empty:
			t.inBody = true
		}
		if t.inBody && t.lines == 0 {
			t.done = true
			return n
		}
	}
	return len(p)
}
