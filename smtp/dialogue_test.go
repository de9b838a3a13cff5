package smtp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// play runs a dialogue against s on a fresh connection. A line of script is
//
//	C: what the client sends, with CRLF and with \r, \n, \t, \x00, \xff understood
//	C> the same without CRLF
//	S: what the server must reply: exact but for "..." at the end, "ID" for any word
//	S! nothing: the connection must be closed by now
//	T: a TLS handshake follows
//	G: EHLO, HELO or LHLO, sent after the greeting (or T:) with any positive reply
//
// and lines that are empty or begin with # are for the reader.
func play(t *testing.T, s *smtp.Server, script string) {
	t.Helper()
	c := dialServer(t, s)
	c.play(t, script)
}

// wire is the test's end of a connection.
type wire struct {
	net.Conn
	r       *bufio.Reader
	greeted bool
	wait    time.Duration // for a reply, or to write
}

// dialServer serves s on a listener of its own, closed with the test.
func dialServer(t testing.TB, s *smtp.Server) *wire {
	t.Helper()
	return connectTo(t, startServer(t, s))
}

func startServer(t testing.TB, s *smtp.Server) *mailtest.Listener {
	t.Helper()
	if s.Hostname == "" {
		s.Hostname = "mx.example.com"
	}
	return listen(t, s, s.Serve)
}

// listen runs serve, which is a method of s.
func listen(t testing.TB, s *smtp.Server, serve func(net.Listener) error) *mailtest.Listener {
	t.Helper()
	l := mailtest.NewListener()
	done := make(chan error, 1)
	go func() { done <- serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != mailparts.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
	return l
}

func connectTo(t testing.TB, l *mailtest.Listener) *wire {
	t.Helper()
	nc, err := l.Dial(context.Background(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	return newWire(t, nc)
}

func newWire(t testing.TB, nc net.Conn) *wire {
	t.Cleanup(func() { nc.Close() })
	return &wire{Conn: nc, r: bufio.NewReader(nc), wait: 10 * time.Second}
}

func (c *wire) play(t testing.TB, script string) {
	t.Helper()
	for n, l := range strings.Split(script, "\n") {
		l = strings.TrimLeft(l, "\t")
		if l == "" || l[0] == '#' {
			continue
		}
		kind, text := l[:2], strings.TrimPrefix(l[2:], " ")
		switch kind {
		case "C:":
			c.send(t, unescape(text)+"\r\n")
		case "C>":
			c.send(t, unescape(text))
		case "S:":
			if got := c.line(t); !matches(got, text) {
				t.Fatalf("line %d:\n got %q\nwant %q", n+1, got, text)
			}
			c.greeted = true
		case "S!":
			c.SetDeadline(time.Now().Add(c.wait))
			if got, err := c.r.ReadString('\n'); err == nil || got != "" || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("line %d: got %q, %v, want the end of the connection", n+1, got, err)
			}
		case "T:":
			c.startTLS(t)
		case "G:":
			c.greet(t, text)
		default:
			t.Fatalf("line %d: no such line: %q", n+1, l)
		}
	}
}

// greet reads the greeting, if it is still to come, and says hello.
func (c *wire) greet(t testing.TB, hello string) {
	t.Helper()
	if !c.greeted {
		c.greeted = true
		if l := c.line(t); !strings.HasPrefix(l, "220 ") {
			t.Fatalf("greeting %q", l)
		}
	}
	c.send(t, hello+" client.example.org\r\n")
	for {
		l := c.line(t)
		if !strings.HasPrefix(l, "250") {
			t.Fatalf("%s: %q", hello, l)
		}
		if l[3] == ' ' {
			return
		}
	}
}

func (c *wire) send(t testing.TB, text string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(c.wait))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func (c *wire) line(t testing.TB) string {
	t.Helper()
	c.SetDeadline(time.Now().Add(c.wait))
	l, err := c.r.ReadString('\n')
	if err != nil {
		t.Fatalf("no reply: %q, %v", l, err)
	}
	if !strings.HasSuffix(l, "\r\n") {
		t.Fatalf("a reply without CRLF: %q", l)
	}
	return l[:len(l)-2]
}

func (c *wire) startTLS(t testing.TB) {
	t.Helper()
	tc := tls.Client(c.Conn, &tls.Config{RootCAs: testCA(), ServerName: "mx.example.com"})
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	*c = wire{Conn: tc, r: bufio.NewReader(tc), greeted: true, wait: c.wait}
}

func unescape(s string) string {
	return strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\t`, "\t", `\x00`, "\x00", `\x7f`, "\x7f", `\xff`, "\xff", `\0`, "\x00").Replace(s)
}

func matches(got, want string) bool {
	before, after, id := strings.Cut(want, "ID")
	if id {
		if !strings.HasPrefix(got, before) {
			return false
		}
		_, got, _ = strings.Cut(got[len(before):]+" ", " ")
		got, want = strings.TrimSuffix(got, " "), strings.TrimPrefix(after, " ")
	}
	if prefix, ok := strings.CutSuffix(want, "..."); ok {
		return strings.HasPrefix(got, prefix)
	}
	return got == want
}

// inbox is a Receiver that takes and keeps everything, and counts.
type inbox struct {
	mu       sync.Mutex
	messages []received
	failed   []error // what Read said other than io.EOF
	open     int     // transactions not closed
	closed   int
}

type received struct {
	env  mailparts.Envelope
	text string // with the Received field
}

func (b *inbox) Mail(_ context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	return &inboxTransaction{b, env, false}, nil
}

type inboxTransaction struct {
	b      *inbox
	env    *mailparts.Envelope
	closed bool
}

func (t *inboxTransaction) Rcpt(_ context.Context, to *mailparts.Rcpt) error {
	switch {
	case strings.HasPrefix(string(to.Addr), "unknown"):
		return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user"}
	case strings.HasPrefix(string(to.Addr), "busy"):
		return &mailparts.Error{Code: 450, Status: "4.2.1", Message: "Mailbox busy"}
	}
	return nil
}

func (t *inboxTransaction) Data(_ context.Context, msg io.Reader) error {
	text, err := io.ReadAll(msg)
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	if err != nil {
		t.b.failed = append(t.b.failed, err)
		return err
	}
	t.b.messages = append(t.b.messages, received{*t.env, string(text)})
	return nil
}

func (t *inboxTransaction) Close() {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	if t.closed {
		panic("a transaction is closed twice")
	}
	t.closed = true
	t.b.open--
	t.b.closed++
}

// only is the one message that must be there.
func (b *inbox) only(t testing.TB) received {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) != 1 {
		t.Fatalf("%d messages, want 1", len(b.messages))
	}
	return b.messages[0]
}

func (b *inbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.messages)
}

// content is text without its first field, which must be Received.
func (r received) content(t testing.TB) string {
	t.Helper()
	if !strings.HasPrefix(r.text, "Received: from ") {
		t.Fatalf("no Received field: %q", r.text)
	}
	for rest := r.text; ; {
		_, after, ok := strings.Cut(rest, "\r\n")
		if !ok {
			t.Fatalf("no end of the Received field: %q", r.text)
		}
		if rest = after; !strings.HasPrefix(rest, "\t") {
			return rest
		}
	}
}
