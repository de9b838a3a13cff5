package lmtp_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
)

// countingListener counts connections.
type countingListener struct {
	net.Listener
	conns atomic.Int32
}

func (l *countingListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		l.conns.Add(1)
	}
	return nc, err
}

// Messages follow each other over one connection, each recipient with its own
// result, over TCP and over unix sockets.
func TestClientReuse(t *testing.T) {
	for network, addr := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "lmtp")} {
		t.Run(network, func(t *testing.T) {
			nl, err := net.Listen(network, addr)
			if err != nil {
				t.Skip("no such sockets here: ", err)
			}
			l := &countingListener{Listener: nl}
			full := &mailparts.Error{Code: 452, Status: "4.2.2", Message: "full"}
			s := &lmtp.Server{Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
				func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
					_, err := io.Copy(io.Discard, msg)
					return mailparts.RcptErrors{nil, full, err}
				}))}
			done := make(chan error, 1)
			go func() { done <- s.Serve(l) }()
			c := &lmtp.Client{Addr: nl.Addr().String()}
			if network == "unix" {
				c.Addr = "unix:" + addr
			}
			for range 3 {
				err := c.Deliver(t.Context(), letter("a@example.com", "b@example.com", "c@example.com"), text(hello))
				if got := codes(err, 3); got != "ok, 452 4.2.2, ok" {
					t.Errorf("got %s (%v)", got, err)
				}
			}
			if n := l.conns.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			s.Close()
			<-done
		})
	}
}

// This machine is no network that REQUIRETLS (RFC 8689) is about.
func TestClientRequireTLS(t *testing.T) {
	for addr, want := range map[string]string{
		"unix:/run/lmtp":     "ok",
		"localhost:24":       "ok",
		"127.0.0.2:24":       "ok",
		"[::1]:24":           "ok",
		"mda.example.com:24": "550 5.7.10",
		"192.0.2.1:24":       "550 5.7.10",
	} {
		c := serve(t, &lmtp.Server{Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
			func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				_, err := io.Copy(io.Discard, msg)
				return err
			}))})
		c.Addr = addr
		env := letter("a@example.com")
		env.RequireTLS = true
		if got := codes(c.Deliver(t.Context(), env, text(hello)), 1); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
		if !env.RequireTLS {
			t.Error("the envelope was changed")
		}
		c.Close()
	}
}
