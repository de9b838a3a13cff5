package interop_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

// received is one message as a server of ours had it.
type received struct {
	env mailparts.Envelope
	msg string
}

// sink is a Deliverer that keeps what it gets for the test.
type sink chan received

func (s sink) Deliver(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
	b, err := io.ReadAll(msg)
	if err != nil {
		return err
	}
	s <- received{*env, string(b)}
	return nil
}

// next waits for a message.
func (s sink) next(t testing.TB) received {
	t.Helper()
	select {
	case got := <-s:
		return got
	case <-time.After(patience):
		t.Fatal("no message came")
		panic("unreachable")
	}
}

// serve starts a server of ours on l until the test ends, and returns its address.
func serve(t testing.TB, l net.Listener, s interface {
	Serve(net.Listener) error
	Close() error
}) (addr string) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return l.Addr().String()
}

// listen makes a listener on loopback.
func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
