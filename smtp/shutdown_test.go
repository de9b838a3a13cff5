package smtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

const goodbye = "S: 421 4.3.2 Shutting down, try again later\nS!"

// go-smtp's Shutdown says nothing to its peers.
func TestShutdownSaysGoodbye(t *testing.T) {
	for name, script := range map[string]string{
		"before EHLO":       "S: 220 ...",
		"after EHLO":        "G: EHLO",
		"half a line":       "G: EHLO\nC> NO",
		"in a transaction":  "G: EHLO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK",
		"in the AUTH":       tlsFirst + "C: AUTH PLAIN\nS: 334 ",
		"after TLS started": tlsFirst,
	} {
		t.Run(name, func(t *testing.T) {
			b := new(inbox)
			s := &smtp.Server{Receiver: b, TLSConfig: testTLS(), Auth: users{}}
			c := dialServer(t, s)
			c.play(t, script)
			if err := s.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.play(t, goodbye)
			if b.open != 0 {
				t.Error("a transaction is open")
			}
		})
	}
}

// A message under way is taken, and then the peer is sent away.
func TestShutdownWaitsForMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(inbox)
		s := &smtp.Server{Receiver: b}
		l := startServer(t, s)
		c, idle := connectTo(t, l), connectTo(t, l)
		c.play(t, toData+"C: hello")
		idle.play(t, "G: EHLO")
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		idle.play(t, goodbye)
		if _, err := l.Dial(t.Context(), "", ""); err == nil {
			t.Error("the listener is open")
		}
		c.play(t, `
			C: .\r\nMAIL FROM:<a@example.org>
			S: 250 2.0.0 OK queued as ID
			`+goodbye)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if b.count() != 1 {
			t.Errorf("%d messages", b.count())
		}
	})
}

func TestShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var canceled error
		r := deliver(func(ctx context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			if _, err := io.Copy(io.Discard, msg); err != nil {
				return err
			}
			<-ctx.Done()
			canceled = ctx.Err()
			return canceled
		})
		s := &smtp.Server{Receiver: r}
		c := dialServer(t, s)
		c.play(t, toData+"C: .")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("Shutdown: %v after %v", err, time.Since(start))
		}
		if canceled == nil {
			t.Error("Deliver was not canceled")
		}
		c.play(t, "S!")
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(inbox)
		s := &smtp.Server{Receiver: b}
		l := startServer(t, s)
		c, idle := connectTo(t, l), connectTo(t, l)
		c.play(t, toData+"C: hello")
		idle.play(t, "G: EHLO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK")
		s.Close()
		c.play(t, "S!")
		idle.play(t, "S!")
		if b.count() != 0 || b.open != 0 || b.closed != 2 {
			t.Errorf("%d messages, %d transactions open, %d closed", b.count(), b.open, b.closed)
		}
		if err := s.Serve(mailtest.NewListener()); err != mailparts.ErrServerClosed {
			t.Errorf("Serve after Close: %v", err)
		}
		if err := s.ListenAndServe(); err == nil {
			t.Error("ListenAndServe after Close")
		}
	})
}

func TestContexts(t *testing.T) {
	type key string
	got := make(chan any, 4)
	r := deliver(func(ctx context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		got <- ctx.Value(key("base"))
		got <- ctx.Value(key("conn"))
		_, err := io.Copy(io.Discard, msg)
		context.AfterFunc(ctx, func() { got <- "ended" })
		return err
	})
	s := &smtp.Server{Receiver: r}
	s.BaseContext = func(l net.Listener) context.Context {
		return context.WithValue(context.Background(), key("base"), l.Addr().String())
	}
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, key("conn"), c.RemoteAddr().(*net.TCPAddr).IP.String())
	}
	play(t, s, toData+`
		C: .\r\nQUIT
		S: 250 2.0.0 OK queued as ID
		S: 221 ...
		S!
	`)
	for _, want := range []string{"127.0.0.1:25", "127.0.0.1", "ended"} {
		if v := <-got; v != want {
			t.Errorf("got %v, want %v", v, want)
		}
	}
}

func TestListenAndServe(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Addr: "unix:" + t.TempDir() + "/lmtp", Receiver: b, LMTP: true, Hostname: "mx.example.com"}
	done := make(chan error)
	go func() { done <- s.ListenAndServe() }()
	var nc net.Conn
	for {
		var err error
		if nc, err = net.Dial("unix", s.Addr[len("unix:"):]); err == nil {
			break
		}
		runtime.Gosched()
	}
	newWire(t, nc).play(t, `
		G: LHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != mailparts.ErrServerClosed {
		t.Error(err)
	}
}

func TestListenAndServeSaysWhyNot(t *testing.T) {
	const nowhere = "no-such-port:-1"
	for name, err := range map[string]error{
		"ListenAndServe":    smtp.ListenAndServe(nowhere, discard),
		"ListenAndServeTLS": (&smtp.Server{Addr: nowhere, TLSConfig: testTLS()}).ListenAndServeTLS(),
	} {
		if err == nil || err == mailparts.ErrServerClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
}
