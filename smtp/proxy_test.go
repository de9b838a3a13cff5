package smtp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// nextHop is a server behind a Proxy, and counts its connections.
func nextHop(t *testing.T, s *smtp.Server) (p *smtp.Proxy, conns *atomic.Int32) {
	t.Helper()
	s.Hostname = "inside.example.com"
	l := startServer(t, s)
	conns = new(atomic.Int32)
	p = &smtp.Proxy{Addr: "inside.example.com:10025", Dialer: smtp.Dialer{Hostname: "mx.example.com", TLS: smtp.TLSNone,
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conns.Add(1)
			return l.Dial(ctx, network, addr)
		}}}
	t.Cleanup(func() { p.Pool.Close() })
	return p, conns
}

// The peer hears the next hop's own words at every stage, over one connection.
func TestProxy(t *testing.T) {
	b := new(inbox)
	inside := mailparts.Chain(b,
		mailparts.OnMail(func(_ context.Context, env *mailparts.Envelope) error {
			if env.From == "evil@example.org" {
				return &mailparts.Error{Code: 550, Status: "5.7.1", Message: "Not you"}
			}
			return nil
		}),
		mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
			if to.Addr == "nobody@example.com" {
				return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "Who?"}
			}
			return nil
		}))
	p, conns := nextHop(t, &smtp.Server{Receiver: inside})
	c := dialServer(t, &smtp.Server{Receiver: p})
	c.play(t, `
		G: EHLO
		C: MAIL FROM:<evil@example.org>
		S: 550 5.7.1 Not you
		C: MAIL FROM:<a@example.org> SIZE=100
		S: 250 2.1.0 OK
		C: RCPT TO:<nobody@example.com>
		S: 550 5.1.1 Who?
		C: DATA
		S: 554 5.5.1 No valid recipients
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: RSET
		S: 250 2.0.0 OK
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 ...
		C: Subject: hi
		C:
		C: ..dot
		C: .
	`)
	if got := c.line(t); !strings.HasSuffix(got, ": inside.example.com said: 250 2.0.0 OK queued as "+b.only(t).env.ID) {
		t.Errorf("the peer is told %q", got)
	}
	c.play(t, "C: QUIT\nS: 221 ...")
	m := b.only(t)
	if !strings.HasSuffix(m.text, "\r\nSubject: hi\r\n\r\n.dot\r\n") || m.env.Peer.Hello != "mx.example.com" {
		t.Errorf("got %q from %+v", m.text, m.env.Peer)
	}
	if strings.Count(m.text, "Received: ") != 2 {
		t.Errorf("the way is not in the header:\n%s", m.text)
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections to the next hop", n)
	}
}

// DATA is refused, or the message after it, as the next hop does.
func TestProxyRefusesTheMessage(t *testing.T) {
	for _, read := range []bool{false, true} {
		p, _ := nextHop(t, &smtp.Server{Receiver: deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			if read {
				if _, err := io.Copy(io.Discard, msg); err != nil {
					return err
				}
			}
			return &mailparts.Error{Code: 554, Status: "5.7.1", Message: "Spam"}
		})})
		p.Dialer.NoChunking = true // else the next hop refuses after the first chunk
		s := &smtp.Server{Receiver: p}
		data := "C: DATA\nS: 554 5.7.1 Spam\nC: NOOP\nS: 250 ..."
		if read {
			data = "C: DATA\nS: 354 ...\nC: spam\nC: .\nS: 554 5.7.1 Spam\nC: NOOP\nS: 250 ..."
		}
		play(t, s, `
			G: EHLO
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<b@example.com>
			S: 250 2.1.5 OK
			`+data)
	}
}

// A message that breaks off is none for the next hop either.
func TestProxyLostPeer(t *testing.T) {
	got := make(chan error, 1)
	p, _ := nextHop(t, &smtp.Server{Receiver: deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		got <- err
		return err
	})})
	p.Dialer.NoChunking = true // else not even a BDAT has been said
	c := dialServer(t, &smtp.Server{Receiver: p})
	c.play(t, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 ...
		C: half a mess
	`)
	c.Close()
	if err := <-got; err == nil {
		t.Error("half a message is delivered")
	}
}

// A next hop that is down, or has gone while nobody spoke to it.
func TestProxyNextHopDown(t *testing.T) {
	b := new(inbox)
	hop := &smtp.Server{Receiver: b}
	p, conns := nextHop(t, hop)
	c := dialServer(t, &smtp.Server{Receiver: p})
	transaction := `
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA\r\nhello\r\n.
		S: 354 ...
		S: 250 2.0.0 OK ...`
	c.play(t, "G: EHLO"+transaction)
	again := startServer(t, &smtp.Server{Hostname: "inside.example.com", Receiver: b})
	p.Dialer.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conns.Add(1)
		return again.Dial(ctx, network, addr)
	}
	hop.Close()
	c.play(t, transaction)
	if n := conns.Load(); n != 2 || b.count() != 2 {
		t.Errorf("%d connections for %d messages", n, b.count())
	}
	p.Pool.Close()
	p.Dialer.NetDial = func(context.Context, string, string) (net.Conn, error) { return nil, fmt.Errorf("down") }
	c.play(t, `
		C: MAIL FROM:<a@example.org>
		S: 451 4.3.5 The next server cannot take mail now
		C: NOOP
		S: 250 ...
	`)
}

// The next hop learns by XFORWARD whom the mail is from.
func TestProxyXForward(t *testing.T) {
	b := new(inbox)
	p, _ := nextHop(t, &smtp.Server{Receiver: b, XFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	play(t, &smtp.Server{Receiver: p}, `
		G: EHLO
		C: MAIL FROM:<x@example.org>
		S: 250 2.1.0 OK
		C: RSET
		S: 250 2.0.0 OK
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA\r\nhello\r\n.
		S: 354 ...
		S: 250 2.0.0 OK ...
	`)
	origin := b.only(t).env.Peer.Origin
	if origin == nil || origin.Hello != "client.example.org" || origin.Addr.Addr() != netip.MustParseAddr("127.0.0.1") || origin.Protocol != "ESMTP" {
		t.Errorf("the next hop knows of %+v", origin)
	}
}
