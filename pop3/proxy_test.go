package pop3_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/sasl"
)

var loopbackOnly = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// TestProxyFrom logs in through a proxy: the Authenticator sees the client's
// address, and the limit per address is the client's.
func TestProxyFrom(t *testing.T) {
	r := start(t, func(s *pop3.Server) {
		s.ProxyFrom, s.MaxConnsPerAddr = loopbackOnly, 1
		s.Auth = sasl.AuthenticatorFunc(func(ctx context.Context, c *sasl.Credentials) (string, error) {
			if got := c.Conn.Remote.String(); got != "192.0.2.1:1111" {
				t.Errorf("Remote is %s", got)
			}
			return password.Authenticate(ctx, c)
		})
	})
	c := r.open()
	c.talk("C: PROXY TCP4 192.0.2.1 198.51.100.1 1111 110\nS: +OK pop.example.com POP3 server ready")
	c.login("alice")
	c = r.open()
	c.talk("C: PROXY TCP4 192.0.2.1 198.51.100.1 2222 110\nS: -ERR [SYS/TEMP] Too many connections, please try again later\nS: EOF")
	c = r.open()
	c.talk("C: PROXY TCP4 192.0.2.2 198.51.100.1 1111 110\nS: +OK pop.example.com POP3 server ready")
}

// TestProxyFromNeedsItsHeader: who must begin with it and does not is not served.
func TestProxyFromNeedsItsHeader(t *testing.T) {
	r := start(t, func(s *pop3.Server) { s.ProxyFrom = loopbackOnly })
	c := r.open()
	c.talk("C: USER alice\nS: EOF")
	if got := r.log.String(); !strings.Contains(got, "no PROXY protocol header") {
		t.Errorf("log: %s", got)
	}
}

// TestProxyHeaderIsNoCommand of a client that is not one of ProxyFrom.
func TestProxyHeaderIsNoCommand(t *testing.T) {
	c := start(t, nil).dial()
	c.talk("C: PROXY TCP4 192.0.2.1 198.51.100.1 1111 110\nS: -ERR ...\nC: QUIT\nS: +OK ...\nS: EOF")
}

// TestProxyBeforeTLS has the header in plaintext, before the handshake of port 995.
func TestProxyBeforeTLS(t *testing.T) {
	server, trust := certificate(t)
	r := newRig(t, func(s *pop3.Server) { s.TLSConfig, s.ProxyFrom = server, loopbackOnly })
	r.serve(r.listen(), r.Server.ServeTLS)
	c := r.open()
	c.send("PROXY UNKNOWN\r\n")
	tc := tls.Client(c.Conn, trust)
	c.Conn, c.r = tc, bufio.NewReader(tc)
	c.talk("S: +OK pop.example.com POP3 server ready")
	c.login("alice")
}
