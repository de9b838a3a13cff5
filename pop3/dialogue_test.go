package pop3_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/sasl"
)

// password admits alice and bob with the password "open sesame".
var password = sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
	if (c.User == "alice" || c.User == "bob") && c.Password == "open sesame" {
		return c.User, nil
	}
	return "", sasl.ErrDenied
})

// rig is a server on loopback with a maildrop for alice, who needs no TLS unless
// a test says so.
type rig struct {
	*pop3.Server
	t       testing.TB
	connect func() (net.Conn, error)
	inbox   mailparts.Mailbox
	log     *logBuffer
	stopped chan error // gets what Serve returns
}

func newRig(t testing.TB, configure func(*pop3.Server)) *rig {
	t.Helper()
	memory := new(mailtest.Memory)
	r := &rig{t: t, log: new(logBuffer), stopped: make(chan error, 1)}
	r.Server = &pop3.Server{
		Hostname:          "pop.example.com",
		Backend:           memory,
		Auth:              password,
		AllowInsecureAuth: true,
		Logger:            slog.New(slog.NewTextHandler(r.log, nil)),
	}
	r.inbox = inbox(t, memory, "alice")
	if configure != nil {
		configure(r.Server)
	}
	return r
}

// start serves on loopback until the test ends.
func start(t testing.TB, configure func(*pop3.Server)) *rig {
	t.Helper()
	r := newRig(t, configure)
	r.serve(r.listen(), r.Server.Serve)
	return r
}

// startMemory is start on a listener in memory, for bubbles of synctest.
func startMemory(t testing.TB, configure func(*pop3.Server)) *rig {
	t.Helper()
	r := newRig(t, configure)
	l := mailtest.NewListener()
	r.connect = func() (net.Conn, error) { return l.Dial(t.Context(), "", "") }
	r.serve(l, r.Server.Serve)
	return r
}

// listen makes a listener on loopback that connect connects to. No test waits
// longer than its connections.
func (r *rig) listen() net.Listener {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.connect = func() (net.Conn, error) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			c.SetDeadline(time.Now().Add(20 * time.Second))
		}
		return c, err
	}
	return l
}

func (r *rig) serve(l net.Listener, serve func(net.Listener) error) {
	go func() { r.stopped <- serve(l) }()
	r.t.Cleanup(func() { r.Close() })
}

func inbox(t testing.TB, b mailparts.Backend, user string) mailparts.Mailbox {
	t.Helper()
	store, err := b.Open(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	mb, err := store.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return mb
}

// fill appends messages.
func (r *rig) fill(messages ...string) {
	r.t.Helper()
	for _, m := range messages {
		if _, err := mailparts.Append(r.t.Context(), r.inbox, mailparts.Incoming{Body: strings.NewReader(m)}); err != nil {
			r.t.Fatal(err)
		}
	}
}

// left is how many messages are in the maildrop.
func (r *rig) left() int {
	r.t.Helper()
	st, err := r.inbox.Status(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return int(st.Messages)
}

// client is the other end of a session.
type client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

// open connects.
func (r *rig) open() *client {
	r.t.Helper()
	c, err := r.connect()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return &client{c, r.t, bufio.NewReader(c)}
}

// dial connects and reads the greeting.
func (r *rig) dial() *client {
	r.t.Helper()
	c := r.open()
	c.talk("S: +OK pop.example.com POP3 server ready")
	return c
}

// login dials and logs alice in.
func (r *rig) login() *client {
	r.t.Helper()
	c := r.dial()
	c.login("alice")
	return c
}

func (c *client) login(user string) {
	c.t.Helper()
	c.talk(`
		C: USER ` + user + `
		S: +OK ...
		C: PASS open sesame
		S: +OK The maildrop has ...`)
}

// talk plays a dialogue. Adjacent lines of C are sent in one write. A line of S
// that ends with "..." is the beginning of what is expected, and "S: EOF" is the
// end of the connection.
func (c *client) talk(dialogue string) {
	c.t.Helper()
	var batch bytes.Buffer
	for l := range strings.Lines(dialogue) {
		l = strings.TrimLeft(strings.TrimRight(l, "\n"), "\t")
		if text, ok := strings.CutPrefix(l, "C: "); ok {
			batch.WriteString(text + "\r\n")
			continue
		}
		c.send(batch.String())
		batch.Reset()
		switch want, ok := strings.CutPrefix(l, "S: "); {
		case want == "EOF":
			c.eof()
		case ok:
			c.expect(want)
		case l != "":
			c.t.Fatalf("not a line of a dialogue: %q", l)
		}
	}
	c.send(batch.String())
}

// capabilities is the part of CAPA's reply that is always the same.
const capabilities = `S: +OK Capabilities follow
		S: TOP
		S: UIDL
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: PIPELINING`

func (c *client) send(raw string) {
	c.t.Helper()
	if raw == "" {
		return
	}
	if _, err := io.WriteString(c.Conn, raw); err != nil {
		c.t.Fatalf("sending %.80q: %v", raw, err)
	}
}

func (c *client) line() string {
	c.t.Helper()
	l, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("after %q: %v", l, err)
	}
	text, ok := strings.CutSuffix(l, "\r\n")
	if !ok {
		c.t.Fatalf("a line that ends without CRLF: %q", l)
	}
	return text
}

func (c *client) expect(want string) {
	c.t.Helper()
	got := c.line()
	if prefix, ok := strings.CutSuffix(want, "..."); ok && strings.HasPrefix(got, prefix) {
		return
	}
	if got != want {
		c.t.Fatalf("\n got S: %s\nwant S: %s", got, want)
	}
}

func (c *client) eof() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("expected the end, got %q, %v", rest, err)
	}
}

// upgrade begins TLS on the client's side.
func (c *client) upgrade(cfg *tls.Config) {
	c.t.Helper()
	tc := tls.Client(c.Conn, cfg)
	if err := tc.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.Conn, c.r = tc, bufio.NewReader(tc)
}

// logBuffer is a log that a test can read.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
