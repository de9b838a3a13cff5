package wire_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// limits are small, so that tests can pass them.
var limits = wire.Limits{Line: 100, Literals: 20, Message: 1000, Skip: 1000}

// newReader reads input, and counts how often the client is asked to go on.
func newReader(input string) (r *wire.Reader, asked *int) {
	r = wire.NewReader(strings.NewReader(input))
	asked = new(int)
	r.Limits = limits
	r.Continue = func() error { *asked++; return nil }
	return r, asked
}

func TestCommand(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, test := range []struct {
		name, input, want string
		err               error
		asked             int
	}{
		{"a line", "a1 NOOP\r\n", "a1 NOOP", nil, 0},
		{"a literal", "a1 LOGIN {3}\r\nabc {0}\r\n\r\n", "a1 LOGIN {3}\r\nabc {0}\r\n", nil, 2},
		{"a literal on its way", "a1 LOGIN {3+}\r\nabc x\r\n", "a1 LOGIN {3+}\r\nabc x", nil, 0},
		{"a literal with CRLF in it", "a1 X {4+}\r\n\r\nab\r\n", "a1 X {4+}\r\n\r\nab", nil, 0},
		{"a literal of any octets", "a1 X ~{2+}\r\n\x00\n\r\n", "a1 X ~{2+}\r\n\x00\n", nil, 0},
		{"no literal", "a1 X {a}\r\n", "a1 X {a}", nil, 0},
		{"a long line", "a1 X " + long + "\r\n", "a1 X " + long[:99], wire.ErrTooLong, 0},
		{"bare LF", "a1 X\nY\r\n", "a1 X\nY", wire.ErrLineEnd, 0},
		{"a long literal", "a1 X {21}\r\n", "a1 X {21}", wire.ErrLiteral, 0},
		{"a number too large", "a1 X {99999999999999999999}\r\n", "a1 X {99999999999999999999}", wire.ErrLiteral, 0},
		{"long literals together", "a1 X {15+}\r\n" + long[:15] + " {15}\r\n", "a1 X {15+}\r\n" + long[:15] + " {15}", wire.ErrLiteral, 0},
		{"a long literal on its way", "a1 X {21+}\r\n" + long[:21] + " {2+}\r\nab y\r\n", "a1 X {21+}", wire.ErrLiteral, 0},
		{"a long line that announces", "a1 X " + long + " {9+}\r\na1 LOGOUT\r\n", "a1 X " + long[:99], wire.ErrTooLong, 0},
		{"a broken line that announces", "a1 X\n{9+}\r\na1 LOGOUT\r\n", "a1 X\n{9+}", wire.ErrLineEnd, 0},
		{"a flood", "a1 X {1001+}\r\n", "a1 X {1001+}", wire.ErrFlood, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, asked := newReader(test.input + "a2 NOOP\r\n")
			text, err := r.Command(nil)
			if err != test.err || string(text) != test.want {
				t.Fatalf("%q, %v, want %q, %v", text, err, test.want, test.err)
			}
			if *asked != test.asked {
				t.Errorf("asked %d times, want %d", *asked, test.asked)
			}
			if err == wire.ErrFlood {
				return
			}
			if text, err = r.Command(nil); err != nil || string(text) != "a2 NOOP" {
				t.Errorf("then %q, %v", text, err)
			}
		})
	}
}

// isMessage takes each literal after "APPEND" for a message.
func isMessage(text []byte) bool { return bytes.Contains(text, []byte("APPEND")) }

func TestMessage(t *testing.T) {
	r, asked := newReader("a1 APPEND {5}\r\nhello (x) {3+}\r\nyou\r\na2 NOOP\r\n")
	text, err := r.Command(isMessage)
	if err != nil || string(text) != "a1 APPEND {5}" || r.Next() == nil || r.Next().Size != 5 || r.Next().NonSync {
		t.Fatalf("%q, %v, %+v", text, err, r.Next())
	}
	m := r.Message()
	if *asked != 0 {
		t.Error("asked before the first Read")
	}
	if b, err := io.ReadAll(m); err != nil || string(b) != "hello" || *asked != 1 {
		t.Fatalf("%q, %v, asked %d times", b, err, *asked)
	}
	text, err = r.More(func([]byte) bool { return true })
	if err != nil || string(text) != " (x) {3+}" || !r.Next().NonSync {
		t.Fatalf("%q, %v, %+v", text, err, r.Next())
	}
	if b, err := io.ReadAll(r.Message()); err != nil || string(b) != "you" || *asked != 1 {
		t.Fatalf("%q, %v, asked %d times", b, err, *asked)
	}
	if text, err = r.More(isMessage); err != nil || len(text) > 0 || r.Next() != nil {
		t.Fatalf("%q, %v, %+v", text, err, r.Next())
	}
	if text, err = r.Command(nil); err != nil || string(text) != "a2 NOOP" {
		t.Errorf("then %q, %v", text, err)
	}
}

// What is on its way of a message that nobody wants is dropped, and nothing else.
func TestRefuse(t *testing.T) {
	for _, test := range []struct {
		name, input string
		read        int // octets of the message
	}{
		{"not asked for", "a1 APPEND {5}\r\n", -1},
		{"on its way", "a1 APPEND {5+}\r\nhello\r\n", -1},
		{"with another", "a1 APPEND {5+}\r\nhello {3+}\r\nyou\r\n", -1},
		{"with another that waits", "a1 APPEND {5+}\r\nhello {3}\r\n", -1},
		{"begun", "a1 APPEND {5}\r\nhello\r\n", 2},
		{"read", "a1 APPEND {5}\r\nhello x\r\n", 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := newReader(test.input + "a2 NOOP\r\n")
			if _, err := r.Command(isMessage); err != nil {
				t.Fatal(err)
			}
			if test.read >= 0 {
				if _, err := io.ReadFull(r.Message(), make([]byte, test.read)); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Refuse(); err != nil {
				t.Fatal(err)
			}
			if text, err := r.Command(nil); err != nil || string(text) != "a2 NOOP" {
				t.Errorf("then %q, %v", text, err)
			}
		})
	}
	r, _ := newReader("a1 APPEND {1001+}\r\n")
	if _, err := r.Command(isMessage); err != nil {
		t.Fatal(err)
	}
	if err := r.Refuse(); !errors.Is(err, wire.ErrFlood) {
		t.Errorf("a flood is %v", err)
	}
}

// FuzzCommand: no octets of a literal are ever read as commands, and what is parsed is
// what was sent.
func FuzzCommand(f *testing.F) {
	f.Add("a1 LOGIN {3}\r\nabc {0}\r\n\r\na2 X {3+}\r\n\r\n\n\r\n")
	f.Add("a1 APPEND x {5+}\r\nhello {3+}\r\nyou\r\n")
	f.Add("a1 X " + strings.Repeat("x", 200) + "{4+}\r\nabcd\r\n")
	f.Fuzz(func(t *testing.T, input string) {
		r, _ := newReader(input)
		for range 1000 {
			text, err := r.Command(isMessage)
			switch err {
			case nil:
			case wire.ErrTooLong, wire.ErrLiteral, wire.ErrLineEnd:
				continue
			default:
				return
			}
			if int64(len(text)) > int64(limits.Line)*2+limits.Literals+4000 {
				t.Fatalf("a command of %d octets", len(text))
			}
			if r.Next() == nil && !strings.Contains(input, string(text)+"\r\n") {
				t.Fatalf("%q was not sent", text)
			}
			p := wire.NewParser(text)
			for p.More() && p.Err() == nil {
				p.AString()
				p.Try(' ')
				p.Try('(')
				p.Try(')')
			}
			if err := r.Refuse(); err != nil {
				return
			}
		}
	})
}
