package serve_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/internal/serve"
)

// addresses says hello with what the connection and ConnContext know, then echoes.
func addresses(ctx context.Context, c *serve.Conn) {
	fmt.Fprintf(c, "%v %v %v\n", c.Remote(), c.Local(), ctx.Value(shownKey{}))
	echo(ctx, c)
}

type shownKey struct{}

func showConn(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, shownKey{}, nc.RemoteAddr().String()+" "+nc.LocalAddr().String())
}

// clientOf is the header for a client at addr.
func clientOf(addr string) string {
	family := "TCP4"
	if strings.Contains(addr, ":") {
		family = "TCP6"
	}
	return "PROXY " + family + " " + addr + " " + addr + " 1111 25\r\n"
}

func TestProxiedConn(t *testing.T) {
	var e serve.Engine
	l := run(t, &e, serve.Config{ProxyFrom: anyProxy, ConnContext: showConn, Handle: addresses})
	for _, test := range []struct{ header, want string }{
		{"PROXY TCP4 192.0.2.1 198.51.100.1 1111 25\r\n", "192.0.2.1:1111 198.51.100.1:25 192.0.2.1:1111 198.51.100.1:25\n"},
		{"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1111 25\r\n", "192.0.2.1:1111 [2001:db8::1]:25 192.0.2.1:1111 [2001:db8::1]:25\n"},
		{v2(v2Proxy, v2TCP6, addrs6), "[2001:db8::1]:56324 [2001:db8::2]:443 [2001:db8::1]:56324 [2001:db8::2]:443\n"},
		{v2(v2Proxy, v2Unix, paths), "invalid AddrPort invalid AddrPort /run/client /run/lmtp\n"},
	} {
		c := dial(t, l)
		// What follows the header is the session's.
		io.WriteString(c, test.header+"hello")
		read(t, c, test.want+"hello")
	}
	for _, header := range []string{"PROXY UNKNOWN\r\n", v2(v2Local, 0)} {
		c := dial(t, l)
		own := c.LocalAddr().String() + " 127.0.0.1:25"
		io.WriteString(c, header+"hello")
		read(t, c, own+" "+own+"\nhello")
	}
}

// Who is no proxy is not believed.
func TestProxyHeaderOfAStranger(t *testing.T) {
	var e serve.Engine
	l := run(t, &e, serve.Config{ProxyFrom: anyProxy, Handle: echo})
	for _, from := range []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::1"), {}} {
		c, err := l.DialFrom(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, clientOf("198.51.100.1"))
		read(t, c, clientOf("198.51.100.1"))
	}
}

func TestConnWithoutProxyHeaderIsClosed(t *testing.T) {
	var log lockedBuilder
	var e serve.Engine
	l := run(t, &e, serve.Config{
		ProxyFrom: anyProxy,
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
		Handle:    func(context.Context, *serve.Conn) { t.Error("Handle without a header") },
	})
	for _, header := range []string{"EHLO client.example.org\r\n", "PROXY TCP4 x\r\n", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff"} {
		c := dial(t, l)
		io.WriteString(c, header)
		if p, err := io.ReadAll(c); len(p) != 0 || err != nil {
			t.Errorf("%q is answered %q, %v", header, p, err)
		}
	}
	for _, want := range []string{"no PROXY protocol header", "neither TCP4 nor TCP6", "too long", "remote=127.0.0.1:"} {
		if got := log.String(); !strings.Contains(got, want) {
			t.Errorf("no %q in the log: %s", want, got)
		}
	}
}

// A proxy that says nothing costs five seconds, and nobody else waits for it.
func TestSlowProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		l := run(t, &e, serve.Config{ProxyFrom: anyProxy, Handle: echo})
		start := time.Now()
		silent, trickling := dial(t, l), dial(t, l)
		go func() {
			for _, octet := range clientOf("192.0.2.1") {
				if _, err := fmt.Fprintf(trickling, "%c", octet); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		quick := dial(t, l)
		io.WriteString(quick, clientOf("192.0.2.1")+"hello")
		read(t, quick, "hello")
		if took := time.Since(start); took != 0 {
			t.Errorf("a quick one waited %v", took)
		}
		for _, c := range []net.Conn{silent, trickling} {
			if _, err := c.Read(make([]byte, 1)); err != io.EOF || time.Since(start) != 5*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		}
		// The header's deadline is not the session's.
		time.Sleep(30 * time.Second)
		io.WriteString(quick, "hello")
		read(t, quick, "hello")
	})
}

func TestShutdownDoesNotWaitForAProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		l := run(t, &e, serve.Config{ProxyFrom: anyProxy, Handle: echo})
		c := dial(t, l)
		synctest.Wait()
		start := time.Now()
		if err := e.Shutdown(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Shutdown: %v after %v", err, time.Since(start))
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("then %v, want EOF", err)
		}
	})
}

func TestProxiedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		l := run(t, &e, serve.Config{ProxyFrom: anyProxy, MaxConnsPerAddr: 1, MaxConns: 6, Handle: echo})
		connect := func(header, want string) net.Conn {
			t.Helper()
			c := dial(t, l)
			io.WriteString(c, header+"hello")
			read(t, c, want)
			return c
		}
		const busy = "busy\r\n"
		first := connect(clientOf("192.0.2.1"), "hello")
		connect(clientOf("192.0.2.1"), busy)
		connect(clientOf("192.0.2.2"), "hello")
		connect(clientOf("2001:db8::1"), "hello")
		connect(clientOf("2001:db8::2"), busy) // the same network
		connect("PROXY UNKNOWN\r\n", "hello")  // the proxy itself has no limit per address
		connect(v2(v2Local, 0), "hello")
		connect(v2(v2Proxy, v2Unix, paths), "hello") // and a unix socket has no address
		read(t, dial(t, l), busy)                    // but all count together
		first.Close()
		synctest.Wait()
		connect(clientOf("192.0.2.1"), "hello")
	})
}

// The header comes before the handshake, and is not of it.
func TestProxyHeaderBeforeTLS(t *testing.T) {
	var e serve.Engine
	l := run(t, &e, serve.Config{ProxyFrom: anyProxy, TLSConfig: testTLS(t), Handle: addresses})
	c := dial(t, l)
	io.WriteString(c, clientOf("192.0.2.1"))
	tc := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	read(t, tc, "192.0.2.1:1111 192.0.2.1:25 <nil>\n")
	io.WriteString(tc, "hello")
	read(t, tc, "hello")
}
