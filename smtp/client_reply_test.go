package smtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// canned is a connection to a server that has said all it will ever say.
type canned struct {
	io.Reader
	written strings.Builder
}

func (c *canned) Write(p []byte) (int, error)    { return c.written.Write(p) }
func (*canned) Close() error                     { return nil }
func (*canned) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (*canned) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (*canned) SetDeadline(time.Time) error      { return nil }
func (*canned) SetReadDeadline(time.Time) error  { return nil }
func (*canned) SetWriteDeadline(time.Time) error { return nil }

// cannedClient is connected to one that offers extensions, and then says words.
func cannedClient(t testing.TB, words string, extensions ...string) (*smtp.Client, *canned) {
	t.Helper()
	hello := "250-" + strings.Join(append([]string{"mx"}, extensions...), "\r\n250-")
	last := strings.LastIndex(hello, "250-")
	nc := &canned{Reader: strings.NewReader("220 mx\r\n" + hello[:last] + "250 " + hello[last+4:] + "\r\n" + words)}
	d := smtp.Dialer{Hostname: "client.example", NetDial: func(context.Context, string, string) (net.Conn, error) { return nc, nil }}
	c, err := d.Dial(context.Background(), fakeAddr)
	if err != nil {
		t.Fatal(err)
	}
	nc.written.Reset()
	return c, nc
}

func TestReplies(t *testing.T) {
	tests := []struct {
		name, reply string
		want        string // code, status and message of the error; "" for none
	}{
		{"one line", "250 ok\r\n", ""},
		{"no text", "250\r\n", ""},
		{"a space and no text", "250 \r\n", ""},
		{"many lines", "250-one\r\n250-\r\n250\r\n", ""},
		{"status", "550 5.1.1 no\r\n", "550 5.1.1 no"},
		{"status alone", "550 5.1.1\r\n", "550 5.1.1 "},
		{"status on every line", "550-5.1.1 no\r\n550 5.1.1 way\r\n", "550 5.1.1 no\nway"},
		{"status on one line", "550-5.1.1 no\r\n550 way\r\n", "550 5.1.1 no\nway"},
		{"status of another class is text", "550 4.1.1 no\r\n", "550  4.1.1 no"},
		{"not quite a status", "550 5.1 no\r\n", "550  5.1 no"},
		{"nor this", "550 5.1.1234 no\r\n", "550  5.1.1234 no"},
		{"nor that", "550 5.1.1.1 no\r\n", "550  5.1.1.1 no"},
		{"controls and 8-bit octets", "550 a\tb\x00c\x1b[31m\xc3\xa9\r\n", "550  a bc"},
		{"a second digit of the world's", "571 5.7.1 no\r\n", "571 5.7.1 no"},

		{"LF for CRLF", "250 ok\n", "451 4.4.2 Connection with mx.example.com lost"},
		{"LF alone", "250 ok\n250 ok\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"CR alone", "250 ok\r250 ok\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"two codes", "250-ok\r\n550 no\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"no code", "hello\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"an empty line", "\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"1xx", "150 ok\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"6xx", "650 ok\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"four digits", "2500 ok\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"354 where none belongs", "354 go\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"no end", strings.Repeat("250-ok\r\n", 1<<16), "451 4.5.0 Protocol error of mx.example.com"},
		{"a line without an end", "250 " + strings.Repeat("x", 4<<20), "451 4.5.0 Protocol error of mx.example.com"},
		{"a line that is too long", "250 " + strings.Repeat("x", 3000) + "\r\n", "451 4.5.0 Protocol error of mx.example.com"},
		{"cut short", "250 o", "451 4.4.2 Connection with mx.example.com lost"},
		{"nothing", "", "451 4.4.2 Connection with mx.example.com lost"},
		{"421", "421 4.3.2 bye\r\n", "421 4.3.2 bye"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := cannedClient(t, test.reply)
			err := c.Noop(t.Context())
			got := ""
			if e, ok := errors.AsType[*mailparts.Error](err); ok {
				got = itoa(e.Code) + " " + e.Status + " " + strings.NewReplacer("?", "", "[31m", "").Replace(e.Message)
			}
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if bad := strings.Contains(test.want, "Protocol"); errors.Is(err, smtp.ErrBadReply) != bad {
				t.Errorf("ErrBadReply: %v (%v)", !bad, err)
			}
			if strings.HasPrefix(test.want, "4") {
				if again := c.Noop(t.Context()); again != err {
					t.Errorf("then %v, want the same", again)
				}
			}
		})
	}
}

// FuzzReplies lets a server say anything at all. Whatever comes of it is fit to be
// passed on, and whatever the client says is a command, or the message.
func FuzzReplies(f *testing.F) {
	f.Add("250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n", false)
	f.Add("250 ok\r\n550 5.1.1 no\r\n354 go\r\n250 ok\r\n", false)
	f.Add("550 no\r\n250 ok\r\n354 go\r\n250 ok\r\n", true)
	f.Add("250-4.x\r\n250 ok\r\n421 4.3.2 a\tb\xff\r\n", true)
	f.Add("250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n452 4.2.2 full\r\n", true)
	f.Add("250\r\n250 \r\n354-\r\n354\r\n5", false)
	f.Fuzz(func(t *testing.T, words string, two bool) {
		c, nc := cannedClient(t, words, "PIPELINING")
		env := letter("b@example.com")
		if two {
			env = letter("b@example.com", "c@example.com")
		}
		err := c.Deliver(t.Context(), env, text("hello\r\n"))
		for i := range env.To {
			e := mailparts.AsError(mailparts.RcptError(err, i))
			if e == nil {
				if !strings.HasSuffix(nc.written.String(), "DATA\r\nhello\r\n.\r\n") {
					t.Errorf("delivered, and what was sent is %q", nc.written.String())
				}
				continue
			}
			if e.Code < 400 || e.Code > 599 {
				t.Errorf("code %d", e.Code)
			}
			for _, b := range []byte(e.Message) {
				if (b < ' ' || b > '~') && b != '\n' {
					t.Fatalf("message %q", e.Message)
				}
			}
		}
		if s := nc.written.String(); strings.Contains(s, "hello") && !strings.Contains(words, "354") {
			t.Errorf("a message that nobody asked for: %q", s)
		}
	})
}
