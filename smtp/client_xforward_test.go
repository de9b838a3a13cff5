package smtp_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// farPeer is one of whom everything is known.
func farPeer() *mailparts.Peer {
	return &mailparts.Peer{
		Addr: netip.MustParseAddrPort("192.0.2.1:1111"), Local: netip.MustParseAddrPort("[2001:db8::25]:587"),
		Hello: "far.example.org", Protocol: "ESMTPSA", User: "user+tag@example.com",
	}
}

const (
	allOfXCLIENT  = "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT"
	allOfXFORWARD = "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT"
)

func TestClientXClient(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, test := range []struct {
		name, offer string
		change      func(*mailparts.Peer)
		script      string
		want        string
	}{
		{"all", allOfXCLIENT, func(*mailparts.Peer) {}, `
			C: XCLIENT ADDR=192.0.2.1 PORT=1111 NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] DESTADDR=IPV6:2001:db8::25 DESTPORT=587 LOGIN=user+2Btag@example.com PROTO=ESMTP HELO=far.example.org
			S: 220 mx.example.com ESMTP
			C: EHLO far.example.org
			S: 250-mx.example.com
			S: 250 SIZE 7`, "ok"},
		{"what the server takes", "XCLIENT addr port future", func(*mailparts.Peer) {}, `
			C: XCLIENT ADDR=192.0.2.1 PORT=1111
			S: 220-mx.example.com
			S: 220 go
			C: EHLO far.example.org
			S: 250-mx.example.com
			S: 250 SIZE 7`, "ok"},
		{"nobody in particular", allOfXCLIENT, func(p *mailparts.Peer) { *p = mailparts.Peer{} }, `
			C: XCLIENT ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] LOGIN=[UNAVAILABLE]
			S: 220 go
			C: EHLO client.example
			S: 250-mx.example.com
			S: 250 SIZE 7`, "ok"},
		{"an old client, by IPv6", "XCLIENT ADDR PROTO HELO", func(p *mailparts.Peer) {
			p.Addr, p.Protocol, p.Hello = netip.MustParseAddrPort("[fe80::1%eth0]:1"), "SMTP", "a b\r\nQUIT"
		}, `
			C: XCLIENT ADDR=IPV6:fe80::1 PROTO=SMTP HELO=a+20b+0D+0AQUIT
			S: 220 go
			C: EHLO client.example
			S: 250-mx.example.com
			S: 250 SIZE 7`, "ok"},
		{"without room for HELO", "XCLIENT ADDR HELO LOGIN", func(p *mailparts.Peer) { p.Hello, p.User = long, long }, `
			C: XCLIENT ADDR=192.0.2.1 LOGIN=` + long + `
			S: 220 go
			C: EHLO ` + long + `
			S: 250-mx.example.com
			S: 250 SIZE 7`, "ok"},
		{"without room for LOGIN", "XCLIENT ADDR LOGIN", func(p *mailparts.Peer) { p.User = strings.Repeat("+", 255) }, "C!", "554 5.5.4"},
		{"not offered", "SIZE", func(*mailparts.Peer) {}, "C!", "451 4.3.5"},
		{"offered without what we know", "XCLIENT FUTURE", func(*mailparts.Peer) {}, "C!", "451 4.3.5"},
		{"not for us", allOfXCLIENT, func(*mailparts.Peer) {}, "C: XCLIENT ...\nS: 550 5.7.0 no\nC!", "550 5.7.0"},
		{"not for it", allOfXCLIENT, func(*mailparts.Peer) {}, "C: XCLIENT ...\nS: 554 5.7.1 not from there\nC!", "554 5.7.1"},
		{"gone", allOfXCLIENT, func(*mailparts.Peer) {}, "C: XCLIENT ...\nS: 421 4.3.2 bye", "421 4.3.2"},
		{"out of step", allOfXCLIENT, func(*mailparts.Peer) {}, "C: XCLIENT ...\nS: 354 go\nC!", "451 4.5.0"},
		{"refused at EHLO", allOfXCLIENT, func(*mailparts.Peer) {}, `
			C: XCLIENT ...
			S: 220 go
			C: EHLO far.example.org
			S: 450 4.7.1 not now
			C!`, "450 4.7.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, ready(test.offer)+test.script)
			c := f.connect(nil)
			p := farPeer()
			test.change(p)
			err := c.XClient(t.Context(), p)
			if got := codes(err, 1); got != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if unsupported := errors.Is(err, errors.ErrUnsupported); unsupported != (test.want == "451 4.3.5") {
				t.Errorf("ErrUnsupported: %v", unsupported)
			}
			if _, ok := c.Extension("XCLIENT"); err == nil && ok {
				t.Error("still knows what was offered before")
			}
			c.Close()
		})
	}
}

func TestClientXForward(t *testing.T) {
	for _, test := range []struct {
		name, offer string
		change      func(*mailparts.Peer)
		script      string
		want        string
	}{
		{"all", allOfXFORWARD, func(*mailparts.Peer) {}, `
			C: XFORWARD ADDR=192.0.2.1 PORT=1111 NAME=[UNAVAILABLE] SOURCE=REMOTE PROTO=ESMTP HELO=far.example.org
			S: 250 2.0.0 Ok`, "ok"},
		{"a unix socket", allOfXFORWARD, func(p *mailparts.Peer) { *p = mailparts.Peer{Protocol: "LMTP"} }, `
			C: XFORWARD ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] NAME=[UNAVAILABLE] SOURCE=LOCAL PROTO=ESMTP
			S: 250 2.0.0 Ok`, "ok"},
		{"what the server takes", "XFORWARD HELO", func(*mailparts.Peer) {}, "C: XFORWARD HELO=far.example.org\nS: 250 ok", "ok"},
		{"too long a name", "XFORWARD HELO ADDR", func(p *mailparts.Peer) { p.Hello = strings.Repeat("x", 300) }, "C: XFORWARD ADDR=192.0.2.1\nS: 250 ok", "ok"},
		{"refused", allOfXFORWARD, func(*mailparts.Peer) {}, "C: XFORWARD ...\nS: 501 5.5.4 no\nC!", "501 5.5.4"},
		{"not offered", "SIZE", func(*mailparts.Peer) {}, "C!", "451 4.3.5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, ready(test.offer)+test.script)
			c := f.connect(nil)
			p := farPeer()
			test.change(p)
			err := c.XForward(t.Context(), p)
			if got := codes(err, 1); got != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if unsupported := errors.Is(err, errors.ErrUnsupported); unsupported != (test.want == "451 4.3.5") {
				t.Errorf("ErrUnsupported: %v", unsupported)
			}
			c.Close()
		})
	}
}

// Neither is for the middle of a transaction, nor for a connection that is over.
func TestClientXForwardBetweenTransactions(t *testing.T) {
	f := newFake(t, ready(allOfXFORWARD)+`
		C: MAIL FROM:<a@example.org>
		S: 250 ok
		C: RSET
		S: 250 ok
		C: XFORWARD ...
		S: 250 ok
		C: MAIL FROM:<a@example.org>
		S: 421 4.3.2 bye`)
	c := f.connect(nil)
	if err := c.Mail(t.Context(), letter("b@example.com")); err != nil {
		t.Fatal(err)
	}
	if err := c.XForward(t.Context(), farPeer()); err != nil {
		t.Fatal(err)
	}
	err := c.Mail(t.Context(), letter("b@example.com"))
	for name, again := range map[string]error{"XForward": c.XForward(t.Context(), farPeer()), "XClient": c.XClient(t.Context(), farPeer())} {
		if err == nil || again != err {
			t.Errorf("%s after %v: %v", name, err, again)
		}
	}
}

// With our own server at the other end.
func TestClientTellsServer(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		b := new(inbox)
		l := startServer(t, &smtp.Server{Receiver: b, LMTP: lmtp, XFrom: prefixes("127.0.0.1/32")})
		d := smtp.Dialer{Hostname: "proxy.example", NetDial: l.Dial, LMTP: lmtp}
		c, err := d.Dial(context.Background(), fakeAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		origin := &mailparts.Peer{Addr: netip.MustParseAddrPort("[2001:db8::1]:2222"), Hello: "origin.example.org", Protocol: "SMTP"}
		for _, tell := range []error{
			c.XForward(t.Context(), origin),
			c.Deliver(t.Context(), letter("b@example.com"), text("\r\n")),
			c.Deliver(t.Context(), letter("b@example.com"), text("\r\n")),
			c.XClient(t.Context(), farPeer()),
			c.Deliver(t.Context(), letter("b@example.com"), text("\r\n")),
		} {
			if tell != nil {
				t.Fatal(tell)
			}
		}
		first, second, third := b.messages[0].env.Peer, b.messages[1].env.Peer, b.messages[2].env.Peer
		if o := first.Origin; o == nil || o.Addr != origin.Addr || o.Hello != origin.Hello || o.Protocol != "SMTP" || first.Hello != "proxy.example" {
			t.Errorf("the first is from %+v by %+v", o, first)
		}
		if second.Origin != nil || second.Hello != "proxy.example" {
			t.Errorf("the second is from %+v by %+v", second.Origin, second)
		}
		if far := farPeer(); third.Origin != nil || third.Addr != far.Addr || third.Local != far.Local || third.Hello != far.Hello || third.User != far.User {
			t.Errorf("the third is by %+v", third)
		}
	}
}
