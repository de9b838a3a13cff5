package mailtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/mailparts/mailparts/mailtest"
)

func listenerPair(t testing.TB, l *mailtest.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := l.Dial(context.Background(), "tcp", "ignored")
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

// The kit of golang.org/x/net is the definition of a net.Conn.
func TestListenerConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		l := mailtest.NewListener()
		c1, c2 = listenerPair(t, l)
		return c1, c2, func() { c1.Close(); c2.Close(); l.Close() }, nil
	})
}

func TestListenerConnIsBuffered(t *testing.T) {
	c, s := listenerPair(t, mailtest.NewListener())
	for _, nc := range []net.Conn{c, s} { // both write before either reads
		if _, err := nc.Write(make([]byte, 60000)); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	// As with a socket, what was written before Close can be read, and then EOF.
	if p, err := io.ReadAll(s); len(p) != 60000 || err != nil {
		t.Errorf("read %d octets, %v", len(p), err)
	}
	if _, err := s.Write([]byte("x")); err == nil {
		t.Error("a write to a closed connection is no error")
	}
}

func TestListenerConnCloseWrite(t *testing.T) {
	c, s := listenerPair(t, mailtest.NewListener())
	c.Write([]byte("hello"))
	c.(interface{ CloseWrite() error }).CloseWrite()
	if p, err := io.ReadAll(s); string(p) != "hello" || err != nil {
		t.Errorf("read %q, %v", p, err)
	}
	s.Write([]byte("bye"))
	s.Close()
	if p, err := io.ReadAll(c); string(p) != "bye" || err != nil {
		t.Errorf("read %q, %v", p, err)
	}
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("a write after CloseWrite is no error")
	}
}

func TestListenerConnFollowsTheFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := listenerPair(t, mailtest.NewListener())
		start := time.Now()
		c.SetReadDeadline(start.Add(time.Hour))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("Read: %v after %v", err, time.Since(start))
		}
		c.SetWriteDeadline(time.Now().Add(time.Hour))
		if n, err := c.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || time.Since(start) != 2*time.Hour {
			t.Errorf("Write: %d, %v after %v", n, err, time.Since(start))
		}
		// A deadline that moves wakes who waits for the old one.
		c.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Minute, func() { c.SetReadDeadline(time.Now()) })
		start = time.Now()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("Read: %v after %v", err, time.Since(start))
		}
	})
}

func TestListenerAddresses(t *testing.T) {
	l := mailtest.NewListener()
	for _, from := range []string{"127.0.0.1", "192.0.2.1", "2001:db8::1"} {
		c, err := l.DialFrom(t.Context(), netip.MustParseAddr(from))
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		remote := s.RemoteAddr().(*net.TCPAddr).AddrPort()
		if remote.Addr() != netip.MustParseAddr(from) || remote.String() != c.LocalAddr().String() {
			t.Errorf("from %v, dialed from %v", remote, c.LocalAddr())
		}
		if s.LocalAddr().String() != l.Addr().String() || c.RemoteAddr().String() != l.Addr().String() {
			t.Errorf("to %v, dialed to %v", s.LocalAddr(), c.RemoteAddr())
		}
	}
	c, _ := l.DialFrom(t.Context(), netip.Addr{})
	if _, ok := c.LocalAddr().(*net.TCPAddr); ok {
		t.Error("a connection from nowhere has a TCP address")
	}
}

func TestListenerAddressesOfChoice(t *testing.T) {
	l := mailtest.NewListener()
	l.Address = netip.MustParseAddrPort("[2001:db8::25]:587")
	from := netip.MustParseAddrPort("192.0.2.1:4711")
	c, err := l.DialFromPort(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if c.LocalAddr().String() != from.String() || c.RemoteAddr().String() != l.Address.String() || l.Addr().String() != l.Address.String() {
		t.Errorf("from %v to %v at %v", c.LocalAddr(), c.RemoteAddr(), l.Addr())
	}
}

func TestListenerBuffer(t *testing.T) {
	l := mailtest.NewListener()
	l.Buffer = 10
	c, s := listenerPair(t, l)
	for _, nc := range []net.Conn{c, s} {
		nc.SetWriteDeadline(time.Now().Add(time.Millisecond))
		if n, err := nc.Write(make([]byte, 11)); n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
}

func TestListenerConnReset(t *testing.T) {
	c, s := listenerPair(t, mailtest.NewListener())
	c.Write([]byte("lost"))
	c.(interface{ SetLinger(int) error }).SetLinger(0)
	c.Close()
	if n, err := s.Read(make([]byte, 10)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %d, %v, want ECONNRESET", n, err)
	}
	if _, err := s.Write([]byte("x")); err == nil {
		t.Error("a write to a connection that was reset is no error")
	}
}

func TestListenerClose(t *testing.T) {
	l := mailtest.NewListener()
	waiting, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := waiting.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection that nobody accepted: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := l.Dial(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Dial: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mailtest.NewListener().Dial(ctx, "", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial with a canceled context: %v", err)
	}
	synctest.Test(t, func(t *testing.T) { // Close wakes Accept
		l := mailtest.NewListener()
		time.AfterFunc(time.Hour, func() { l.Close() })
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
	})
}
