package mime_test

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

func validUTF8(s string) bool { return utf8.ValidString(s) }

func printable(s string) bool { return strings.IndexFunc(s, unicode.IsControl) < 0 }

// checkData wants one list of IMAP's grammar: lists, numbers, NIL, strings without NUL.
func checkData(b []byte) error {
	rest, err := data(b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q is left", rest)
	}
	if err == nil && bytes.IndexByte(b, 0) >= 0 {
		err = fmt.Errorf("NUL in %q", b)
	}
	return err
}

func data(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	switch c := b[0]; {
	case c == '(':
		for b = b[1:]; len(b) > 0 && b[0] != ')'; {
			var err error
			if b, err = data(b); err != nil {
				return nil, err
			}
			// Between lists a space is not needed: (body)(body), (address)(address).
			if len(b) > 1 && b[0] == ' ' && b[1] != ')' {
				b = b[1:]
			} else if len(b) == 0 || b[0] != ')' && b[0] != '(' {
				return nil, fmt.Errorf("no space before %q", b)
			}
		}
		if len(b) == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		return b[1:], nil
	case c == '"':
		for i := 1; i < len(b); i++ {
			switch b[i] {
			case '\\':
				if i++; i < len(b) && b[i] != '\\' && b[i] != '"' {
					return nil, fmt.Errorf("escaped %q", b[i])
				}
			case '\r', '\n':
				return nil, fmt.Errorf("line end in a quoted string")
			case '"':
				return b[i+1:], nil
			}
		}
		return nil, io.ErrUnexpectedEOF
	case c == '{':
		size, rest, ok := bytes.Cut(b[1:], []byte("}\r\n"))
		n, err := strconv.Atoi(string(size))
		if !ok || err != nil || n > len(rest) {
			return nil, fmt.Errorf("literal of %q", size)
		}
		return rest[n:], nil
	case '0' <= c && c <= '9':
		return bytes.TrimLeft(b, "0123456789"), nil
	}
	if rest, ok := bytes.CutPrefix(b, []byte("NIL")); ok {
		return rest, nil
	}
	return nil, fmt.Errorf("no data at %q", b[:min(len(b), 20)])
}

// envelopeOf returns the subject in the ENVELOPE of a message, for a client without
// UTF8=ACCEPT.
func envelopeOf(t testing.TB, msg string) string {
	t.Helper()
	b := mime.AppendEnvelope(nil, scan(t, msg).Envelope, false)
	rest := bytes.TrimPrefix(b, []byte("(NIL "))
	if rest[0] == '{' {
		size, text, _ := bytes.Cut(rest[1:], []byte("}\r\n"))
		n, _ := strconv.Atoi(string(size))
		return string(text[:n])
	}
	after, err := data(rest)
	if err != nil {
		t.Fatal(err)
	}
	s := string(rest[1 : len(rest)-len(after)-1])
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s)
}

// slowReader reads a few octets at a time.
type slowReader struct {
	s string
	n int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.s == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.n)], r.s)
	r.s = r.s[n:]
	return n, nil
}

func decoded(t testing.TB, r io.Reader, encoding string) []byte {
	t.Helper()
	d, err := mime.NewBinaryReader(r, encoding)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
