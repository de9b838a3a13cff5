package interop_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// Who a message is from, as Postfix says it by XFORWARD, which our client has told
// it: of that message only, and not of the next one.
func TestXFORWARDThroughPostfix(t *testing.T) {
	sink := mailtest.NewSink(t)
	sink.Config.XFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	// A Postfix without IPv6 does not take an IPv6 address from others, either.
	addr := postfix(t, "relayhost = [127.0.0.1]:"+port(sink.Addr()), "inet_protocols = all",
		"smtpd_authorized_xforward_hosts = 127.0.0.0/8", "smtp_send_xforward_command = yes")
	c := clientOf(t, addr)
	for _, from := range []*mailparts.Peer{
		{Addr: netip.MustParseAddrPort("192.0.2.1:1111"), Hello: "far.example.org", Protocol: "SMTP"},
		{Addr: netip.MustParseAddrPort("[2001:db8::1]:1111"), Hello: "six.example.org", Protocol: "ESMTP"},
		nil, // us
	} {
		want := mailparts.Peer{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Hello: "proxy.example.net", Protocol: "ESMTP"}
		if from != nil {
			want = *from
			if err := c.XForward(t.Context(), from); err != nil {
				t.Fatal(err)
			}
		}
		handOver(t, c)
		got := next(t, sink).Envelope.Peer.Origin
		if got == nil {
			t.Fatal("no XFORWARD from Postfix")
		}
		if from == nil {
			got.Addr = netip.AddrPortFrom(got.Addr.Addr(), 0) // any port of ours
		}
		if got.Addr != want.Addr || got.Hello != want.Hello || got.Protocol != want.Protocol {
			t.Errorf("origin %+v, want %+v", *got, want)
		}
	}
}

// Postfix takes our XCLIENT, and the client has its own rights there.
func TestXCLIENTToPostfix(t *testing.T) {
	sink := mailtest.NewSink(t)
	addr := postfix(t, "relayhost = [127.0.0.1]:"+port(sink.Addr()), "mynetworks = 192.0.2.0/24",
		"smtpd_authorized_xclient_hosts = 127.0.0.0/8")
	letter := &mailparts.Envelope{From: "carol@example.net", To: []mailparts.Rcpt{{Addr: "alice@example.test"}}}
	c := clientOf(t, addr)
	if err := c.Deliver(t.Context(), letter, strings.NewReader(eightBit)); err == nil {
		t.Error("Postfix relays for us")
	}
	peer := &mailparts.Peer{Addr: netip.MustParseAddrPort("192.0.2.1:1111"), Local: netip.MustParseAddrPort("198.51.100.1:25"), Hello: "far.example.org", Protocol: "ESMTP"}
	if err := c.XClient(t.Context(), peer); err != nil {
		t.Fatal(err)
	}
	handOver(t, c)
	if got := string(next(t, sink).Data); !strings.Contains(got, "from far.example.org (unknown [192.0.2.1])") {
		t.Errorf("Postfix had it from someone else: %s", got)
	}
}

func clientOf(t *testing.T, addr string) *smtp.Client {
	t.Helper()
	c, err := (&smtp.Dialer{Hostname: "proxy.example.net", CommandTimeout: patience}).Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Quit(context.Background()) })
	return c
}

func handOver(t *testing.T, c *smtp.Client) {
	t.Helper()
	env := &mailparts.Envelope{From: "carol@example.net", To: []mailparts.Rcpt{{Addr: "alice@example.test"}}}
	if err := c.Deliver(t.Context(), env, strings.NewReader(letterOf("handed over", 100))); err != nil {
		t.Fatal(err)
	}
}

// swaks speaks XCLIENT, and PROXY of both versions, as their authors have it.
func TestSwaksSpeaksForOthers(t *testing.T) {
	program := need(t, "swaks")[0]
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	proxy := func(version, family string) []string {
		return []string{"--proxy-version", version, "--proxy-family", family, "--proxy-source", "192.0.2.1", "--proxy-source-port", "1111",
			"--proxy-dest", "198.51.100.1", "--proxy-dest-port", "25"}
	}
	for _, test := range []struct {
		name   string
		server *smtp.Server
		args   []string
	}{
		{"XCLIENT", &smtp.Server{XFrom: loopback}, []string{"--xclient-addr", "192.0.2.1", "--xclient-port", "1111", "--xclient-name", "far.example.org",
			"--xclient-destaddr", "198.51.100.1", "--xclient-destport", "25", "--xclient-helo", "a b", "--xclient-proto", "ESMTP", "--xclient-reverse-name", "x"}},
		{"PROXY version 1", &smtp.Server{ProxyFrom: loopback}, proxy("1", "TCP4")},
		{"PROXY version 2", &smtp.Server{ProxyFrom: loopback}, proxy("2", "AF_INET")},
	} {
		t.Run(test.name, func(t *testing.T) {
			sink := mailtest.NewSink(t)
			sink.Config = test.server
			run(t, "", program, append([]string{"--server", "127.0.0.1", "--port", port(sink.Addr()), "--helo", "far.example.org",
				"--from", "carol@example.net", "--to", "alice@example.test"}, test.args...)...)
			p := next(t, sink).Envelope.Peer
			if p.Addr.String() != "192.0.2.1:1111" || p.Local.String() != "198.51.100.1:25" || p.Hello != "far.example.org" {
				t.Errorf("peer %+v", p)
			}
		})
	}
}
