package lmtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// serve serves s in memory, and returns a Client of it.
func serve(t testing.TB, s *lmtp.Server) *lmtp.Client {
	t.Helper()
	l := mailtest.NewListener()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != mailparts.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
	return &lmtp.Client{Dialer: smtp.Dialer{Hostname: "client.example", NetDial: l.Dial}}
}

// Client, Server and Local: each recipient has its own result, whether it is
// refused at RCPT or after the message.
func TestAllTheWay(t *testing.T) {
	b := &brokenBackend{err: mailparts.ErrQuota}
	b.Users = []string{"full"}
	ok := &mailtest.Memory{Users: []string{"bob", "eve"}}
	local := &lmtp.Local{Domains: []string{"example.com"}, Backend: backendFunc(func(ctx context.Context, user string) (mailparts.Store, error) {
		if user == "full" {
			return b.Open(ctx, user)
		}
		return ok.Open(ctx, user)
	})}
	env := letter("full@example.com", "bob@example.com", "nobody@example.com", "bob+x@example.com", "eve@example.com", "bob@example.net")
	for name, s := range map[string]*lmtp.Server{
		"refused after the message": {Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(local.Deliver))},
		"refused at RCPT":           {Receiver: local},
	} {
		t.Run(name, func(t *testing.T) {
			err := serve(t, s).Deliver(t.Context(), env, text(".hello\r\n"))
			want := "552 5.2.2, ok, 550 5.1.1, ok, ok, 550 5.1.2"
			if got := codes(err, len(env.To)); got != want {
				t.Errorf("got  %s\nwant %s\n(%v)", got, want, err)
			}
		})
	}
	for user, n := range map[string]int{"bob": 2, "eve": 2} {
		got := messages(t, ok, user, "INBOX")
		if len(got) != n {
			t.Fatalf("%s has %d messages, want %d", user, len(got), n)
		}
		if !strings.Contains(got[0], "\r\nReceived: from client.example") || !strings.Contains(got[0], " with LMTP ") || !strings.HasSuffix(got[0], "\r\n.hello\r\n") {
			t.Errorf("%s has %q", user, got[0])
		}
	}
}

type backendFunc func(ctx context.Context, user string) (mailparts.Store, error)

func (f backendFunc) Open(ctx context.Context, user string) (mailparts.Store, error) {
	return f(ctx, user)
}

func TestUnixSocket(t *testing.T) {
	b := &mailtest.Memory{Users: []string{"bob"}}
	path := filepath.Join(t.TempDir(), "lmtp")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no unix sockets here: ", err)
	}
	s := &lmtp.Server{Receiver: mailparts.AsReceiver(&lmtp.Local{Backend: b})}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	c := &lmtp.Client{Addr: "unix:" + path}
	if err := c.Deliver(t.Context(), letter("bob@example.com"), text(hello)); err != nil {
		t.Error(err)
	}
	if got := messages(t, b, "bob", "INBOX"); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != mailparts.ErrServerClosed {
		t.Error(err)
	}
}

// Whatever keeps us out is no fault of the mail.
func TestClientIsKeptOut(t *testing.T) {
	refused := errors.New("connection refused")
	c := &lmtp.Client{Dialer: smtp.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}}
	err := c.Deliver(t.Context(), letter("bob@example.com"), text(hello))
	if got := codes(err, 1); got != "451 4.4.1" || !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	err = serve(t, &lmtp.Server{}).Deliver(t.Context(), letter("bob@example.com"), text(hello)) // no Receiver: 521
	if got := codes(err, 1); got != "451 4.3.5" {
		t.Errorf("got %v", err)
	}
}

func TestClientDefaultAddr(t *testing.T) {
	got := ""
	stop := errors.New("that will do")
	c := &lmtp.Client{Dialer: smtp.Dialer{NetDial: func(_ context.Context, network, addr string) (net.Conn, error) {
		got = network + " " + addr
		return nil, stop
	}}}
	c.Deliver(t.Context(), letter("bob@example.com"), text(hello))
	if got != "tcp localhost:24" {
		t.Errorf("got %s", got)
	}
}

// The fields of a Server reach its engine.
func TestServerFields(t *testing.T) {
	s := &lmtp.Server{
		Hostname:        "mda.example.com",
		Receiver:        mailparts.AsReceiver(&lmtp.Local{Backend: new(mailtest.Memory)}),
		MaxMessageBytes: 10,
		MaxRecipients:   1,
		CommandTimeout:  time.Hour,
	}
	c := serve(t, s)
	d := c.Dialer
	d.LMTP = true
	conn, err := d.Dial(t.Context(), "localhost:24")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if size, _ := conn.Extension("SIZE"); size != "10" {
		t.Errorf("SIZE %s", size)
	}
	if _, ok := conn.Extension("STARTTLS"); ok {
		t.Error("STARTTLS without a TLSConfig")
	}
	err = conn.Deliver(t.Context(), letter("a@example.com", "b@example.com"), text("x\r\n"))
	if got := codes(err, 2); got != "ok, 452 4.5.3" {
		t.Errorf("got %s", got)
	}
	d.LMTP = false
	if _, err := d.Dial(t.Context(), "localhost:24"); err == nil {
		t.Error("EHLO to an LMTP server went through")
	}
}

// What the server promises reaches the Receiver.
func TestServerExtensions(t *testing.T) {
	var got *mailparts.Envelope
	r := mailparts.AsReceiver(mailparts.DelivererFunc(func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
		got = env
		_, err := io.Copy(io.Discard, msg)
		return err
	}))
	c := serve(t, &lmtp.Server{Receiver: r, Extensions: []string{"DSN", "MT-PRIORITY", "RRVS"}})
	env := letter("bob@example.com")
	env.Ret, env.EnvID, env.Priority = "HDRS", "QQ314159", 3
	env.To[0].Notify, env.To[0].ORcpt = mailparts.NotifySuccess, "rfc822;Bob@example.org"
	env.To[0].Since, env.To[0].SinceOptional = time.Date(2014, 4, 3, 23, 1, 0, 0, time.UTC), true
	if err := c.Deliver(t.Context(), env, text(hello)); err != nil {
		t.Fatal(err)
	}
	if got.Ret != "HDRS" || got.EnvID != "QQ314159" || got.Priority != 3 || got.To[0] != env.To[0] {
		t.Errorf("got %+v", got)
	}
	if err := (&lmtp.Server{Extensions: []string{"FOO"}}).Serve(mailtest.NewListener()); err == nil || err == mailparts.ErrServerClosed {
		t.Errorf("a promise that is not known: %v", err)
	}
}

// Peers of an LMTP server are few, and come from one address.
func TestServerTakesManyFromOneAddress(t *testing.T) {
	c := serve(t, &lmtp.Server{Receiver: mailparts.AsReceiver(&lmtp.Local{Backend: new(mailtest.Memory)})})
	d := c.Dialer
	d.LMTP = true
	for range 50 {
		conn, err := d.Dial(t.Context(), "localhost:24")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}
