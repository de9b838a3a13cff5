package smtp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// fake is a server that plays a script to each connection in turn. A line of a
// script is
//
//	S: what the server sends, with CRLF and with \r, \n, \t, \x00, \xff understood
//	S> the same without CRLF
//	C: what the client must send: exact but for "..." at the end
//	C! nothing: it must have closed the connection
//	T: a TLS handshake follows, which must succeed
//	T! a TLS handshake follows, which the server spoils
//	T? a TLS handshake follows, which the client must break off
//	W: the server waits: 1m30s
//
// and lines that are empty or begin with # are for the reader. At the end of its
// script the server closes the connection.
type fake struct {
	t       testing.TB
	l       *mailtest.Listener
	from    netip.Addr   // of the client; not valid: not on this machine
	writes  atomic.Int32 // of the client
	scripts []string
	players sync.WaitGroup
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func newFake(t testing.TB, scripts ...string) *fake {
	t.Helper()
	f := &fake{t: t, l: mailtest.NewListener(), from: loopback, scripts: scripts}
	f.players.Go(func() {
		for n, script := range scripts {
			nc, err := f.l.Accept()
			if err != nil {
				t.Errorf("connection %d never came", n+1)
				return
			}
			f.players.Go(func() { f.play(nc, script) })
		}
		if nc, err := f.l.Accept(); err == nil {
			nc.Close()
			t.Errorf("a connection more than the %d that were to come", len(scripts))
		}
	})
	t.Cleanup(f.wait)
	return f
}

// wait ends the fake when all scripts are played.
func (f *fake) wait() {
	f.l.Close()
	f.players.Wait()
}

// dial is a Dialer's NetDial.
func (f *fake) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	nc, err := f.l.DialFrom(ctx, f.from)
	if err != nil {
		return nil, err
	}
	return &countedConn{nc, &f.writes}, nil
}

type countedConn struct {
	net.Conn
	writes *atomic.Int32
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func (f *fake) dialer() *smtp.Dialer {
	return &smtp.Dialer{Hostname: "client.example", NetDial: f.dial}
}

// fakeAddr is where all fakes are.
const fakeAddr = "mx.example.com:25"

// connect dials with d, which may be nil.
func (f *fake) connect(d *smtp.Dialer) *smtp.Client {
	f.t.Helper()
	if d == nil {
		d = f.dialer()
	}
	c, err := d.Dial(f.t.Context(), fakeAddr)
	if err != nil {
		f.t.Fatalf("Dial: %v", err)
	}
	f.t.Cleanup(func() { c.Close() })
	return c
}

func (f *fake) play(nc net.Conn, script string) {
	defer func() { nc.Close() }()
	r := bufio.NewReader(nc)
	for n, l := range strings.Split(script, "\n") {
		l = strings.TrimLeft(l, "\t")
		if l == "" || l[0] == '#' {
			continue
		}
		kind, text := l[:2], strings.TrimPrefix(l[2:], " ")
		switch kind {
		case "S:", "S>":
			text = unescape(text)
			if kind == "S:" {
				text += "\r\n"
			}
			io.WriteString(nc, text) // a client that is gone already shows in what it sends
		case "C:":
			got, err := r.ReadString('\n')
			if got = strings.TrimSuffix(got, "\r\n"); err != nil || !matches(got, unescape(text)) {
				f.t.Errorf("line %d of the script: the client sent\n     %q, %v\nwant %q", n+1, got, err, text)
				return
			}
		case "C!":
			if got, err := r.ReadString('\n'); err == nil || got != "" {
				f.t.Errorf("line %d of the script: the client sent %q, want the end of the connection", n+1, got)
			}
		case "W:":
			d, err := time.ParseDuration(text)
			if err != nil {
				f.t.Error(err)
			}
			time.Sleep(d)
		case "T:", "T!", "T?":
			cfg := testTLS()
			if kind == "T!" {
				cfg.MaxVersion = tls.VersionTLS11 // no client here speaks it
			}
			tc := tls.Server(nc, cfg)
			if err := tc.Handshake(); (err == nil) != (kind == "T:") {
				f.t.Errorf("line %d of the script: TLS handshake: %v", n+1, err)
				return
			}
			nc, r = tc, bufio.NewReader(tc)
		default:
			f.t.Errorf("line %d of the script: no such line: %q", n+1, l)
			return
		}
	}
}

// ready is how every dialogue with a server begins that has these extensions.
func ready(extensions ...string) string {
	s := "S: 220 mx.example.com ESMTP\nC: EHLO client.example\n"
	lines := append([]string{"mx.example.com"}, extensions...)
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		s += "S: 250" + sep + l + "\n"
	}
	return s
}

// mailDialogue is a transaction up to the message.
const mailDialogue = `
	C: MAIL FROM:<a@example.org>
	S: 250 ok
	C: RCPT TO:<b@example.com>
	S: 250 ok
	C: DATA
	S: 354 go
`

// letter is an envelope from one to many.
func letter(to ...mailparts.Address) *mailparts.Envelope {
	env := &mailparts.Envelope{ID: "test", From: "a@example.org"}
	for _, a := range to {
		env.To = append(env.To, mailparts.Rcpt{Addr: a})
	}
	return env
}

// text is a message that cannot seek.
func text(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }

// codes is err as "code status" by recipient, "ok" for none.
func codes(err error, n int) string {
	var b []string
	for i := range n {
		one := "ok"
		if err := mailparts.RcptError(err, i); err != nil {
			e := mailparts.AsError(err)
			one = strings.TrimSpace(strings.Join([]string{itoa(e.Code), e.Status}, " "))
		}
		b = append(b, one)
	}
	return strings.Join(b, ", ")
}
