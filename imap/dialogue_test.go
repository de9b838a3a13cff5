package imap_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/sasl"
)

// password admits alice and bob with the password "open sesame".
var password = sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
	if (c.User == "alice" || c.User == "bob") && c.Password == "open sesame" {
		return c.User, nil
	}
	return "", sasl.ErrDenied
})

// rig is a server on a listener in memory with mailboxes for alice, who needs no TLS
// unless a test says so.
type rig struct {
	*imap.Server
	t     testing.TB
	l     *mailtest.Listener
	store mailparts.Store // alice's
	inbox mailparts.Mailbox
	log   *logBuffer
}

func start(t testing.TB, configure func(*imap.Server)) *rig {
	t.Helper()
	r := &rig{t: t, log: new(logBuffer), l: mailtest.NewListener()}
	r.Server = &imap.Server{
		Hostname:          "imap.example.com",
		Backend:           new(mailtest.Memory),
		Auth:              password,
		AllowInsecureAuth: true,
		Logger:            slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if configure != nil {
		configure(r.Server)
	}
	if r.Backend != nil {
		var err error
		if r.store, err = r.Backend.Open(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if r.inbox, err = r.store.Mailbox(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
	}
	go r.Serve(r.l)
	t.Cleanup(func() { r.Close() })
	return r
}

// fill appends messages to INBOX.
func (r *rig) fill(messages ...string) {
	r.t.Helper()
	for _, m := range messages {
		if _, err := mailparts.Append(r.t.Context(), r.inbox, mailparts.Incoming{Body: strings.NewReader(m)}); err != nil {
			r.t.Fatal(err)
		}
	}
}

// client is the other end of a session.
type client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
	n int // of tags
}

// dial connects and reads the greeting.
func (r *rig) dial() *client {
	r.t.Helper()
	nc, err := r.l.Dial(r.t.Context(), "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	c := &client{Conn: nc, t: r.t, r: bufio.NewReader(nc)}
	c.response()
	return c
}

// login connects alice.
func (r *rig) login() *client {
	r.t.Helper()
	c := r.dial()
	c.do(`LOGIN alice "open sesame"`)
	return c
}

// selecting connects alice and selects INBOX.
func (r *rig) selecting() *client {
	r.t.Helper()
	c := r.login()
	c.do("SELECT INBOX")
	return c
}

// response reads a response with the literals in it, without its CRLF.
func (c *client) response() string {
	c.t.Helper()
	var b strings.Builder
	for {
		l, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("after %q: %v", b.String()+l, err)
		}
		l, ok := strings.CutSuffix(l, "\r\n")
		if !ok {
			c.t.Fatalf("no CRLF after %q", l)
		}
		b.WriteString(l)
		i := strings.LastIndexByte(l, '{')
		if i < 0 || !strings.HasSuffix(l, "}") {
			return b.String()
		}
		n, err := strconv.Atoi(l[i+1 : len(l)-1])
		if err != nil {
			return b.String()
		}
		b.WriteString("\r\n")
		if _, err := io.CopyN(&b, c.r, int64(n)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// do sends a command and returns its untagged responses and then the tagged one, without
// the tag. Literals in the command are sent as they are: say "{n+}".
func (c *client) do(command string) (responses []string) {
	c.t.Helper()
	c.n++
	tag := "t" + strconv.Itoa(c.n)
	io.WriteString(c, tag+" "+command+"\r\n")
	for {
		l := c.response()
		if rest, ok := strings.CutPrefix(l, tag+" "); ok {
			return append(responses, rest)
		}
		responses = append(responses, l)
	}
}

// play is a dialogue: lines that begin with "C: " are sent, with CRLF, and those with
// "S: " must come. "..." at the end of the latter stands for anything, and of an "S: "
// line with "\r\n" in it both must be there. Lines without either go on with the one
// before, as with literals.
func (c *client) play(script string) {
	c.t.Helper()
	script = strings.TrimSpace(script)
	var turns []string
	for l := range strings.SplitSeq(script, "\n") {
		l = strings.TrimLeft(l, "\t")
		if strings.HasPrefix(l, "C: ") || strings.HasPrefix(l, "S: ") {
			turns = append(turns, l)
		} else {
			turns[len(turns)-1] += "\r\n" + l
		}
	}
	for _, turn := range turns {
		if text, ok := strings.CutPrefix(turn, "C: "); ok {
			io.WriteString(c, text+"\r\n")
			continue
		}
		want := turn[len("S: "):]
		got := c.response()
		if start, ok := strings.CutSuffix(want, "..."); got != want && !(ok && strings.HasPrefix(got, start)) {
			c.t.Fatalf("got  %q\nwant %q\nin %s", got, want, script)
		}
	}
}

// logBuffer is a log that several sessions write.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func itoa[T ~uint32 | ~uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }

// equal compares responses.
func equal(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
