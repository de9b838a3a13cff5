package smtp_test

import (
	"context"
	"crypto/tls"
	"net/netip"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// prefixes is what Trusted, ProxyFrom and XFrom take.
func prefixes(texts ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, text := range texts {
		ps = append(ps, netip.MustParsePrefix(text))
	}
	return ps
}

const toMessage = `
	C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.
	S: 250 2.1.0 OK
	S: 250 2.1.5 OK
	S: 354 ...
	S: 250 2.0.0 OK queued as ID
`

// What a proxy tells is the Peer's: its address, and whether that is trusted.
func TestProxyFrom(t *testing.T) {
	for _, test := range []struct {
		name, header, received, addr, local string
		trusted                             bool
	}{
		{"version 1", "PROXY TCP4 192.0.2.1 198.51.100.1 1111 25\r\n", "([192.0.2.1])", "192.0.2.1:1111", "198.51.100.1:25", true},
		{"IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1111 25\r\n", "([IPv6:2001:db8::1])", "[2001:db8::1]:1111", "[2001:db8::2]:25", false},
		{"version 2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x21\x22", "([1.2.3.4])", "1.2.3.4:4370", "5.6.7.8:8482", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := new(inbox)
			s := &smtp.Server{Receiver: b, ProxyFrom: prefixes("127.0.0.1/32"), Trusted: prefixes("127.0.0.0/8", "192.0.2.0/24")}
			c := dialServer(t, s)
			c.send(t, test.header)
			c.play(t, "G: EHLO"+toMessage)
			m := b.only(t)
			wantReceived(t, m, "from client.example.org "+test.received)
			if p := m.env.Peer; p.Addr.String() != test.addr || p.Local.String() != test.local || p.Trusted != test.trusted {
				t.Errorf("peer %+v", p)
			}
		})
	}
}

// A client that the proxy tells nothing of has none of the proxy's rights.
func TestProxyOfUnknownClient(t *testing.T) {
	for name, header := range map[string]string{
		"UNKNOWN":                "PROXY UNKNOWN\r\n",
		"version 2, unspecified": "\r\n\r\n\x00\r\nQUIT\n\x21\x00\x00\x00",
		"LOCAL":                  "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			b := new(inbox)
			loopback := prefixes("127.0.0.0/8")
			c := dialServer(t, &smtp.Server{Receiver: b, ProxyFrom: loopback, Trusted: loopback, XFrom: loopback})
			c.send(t, header)
			c.play(t, "S: 220 ...")
			if _, ok := c.offered(t, "EHLO")["XCLIENT"]; ok {
				t.Error("it may use XCLIENT")
			}
			c.play(t, "C: XCLIENT ADDR=192.0.2.1\nS: 550 ..."+toMessage)
			if p := b.only(t).env.Peer; p.Trusted || p.Addr.Addr() != netip.MustParseAddr("127.0.0.1") {
				t.Errorf("peer %+v", p)
			}
		})
	}
}

func TestProxyFromNeedsItsHeader(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), ProxyFrom: prefixes("127.0.0.1/32")}, `
		C: EHLO client.example.org
		S!
	`)
}

// A header of anyone else is nonsense.
func TestProxyHeaderIsNoCommand(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), ProxyFrom: prefixes("192.0.2.0/24")}, `
		S: 220 ...
		C: PROXY TCP4 192.0.2.1 198.51.100.1 1111 25
		S: 500 5.5.2 Unknown command
	`)
}

func TestProxyBeforeTLS(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, Hostname: "mx.example.com", TLSConfig: testTLS(), ProxyFrom: prefixes("127.0.0.1/32")}
	l := listen(t, s, s.ServeTLS)
	nc, err := l.Dial(context.Background(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	newWire(t, nc).send(t, "PROXY TCP4 192.0.2.1 198.51.100.1 1111 465\r\n")
	c := newWire(t, tls.Client(nc, &tls.Config{RootCAs: testCA(), ServerName: "mx.example.com"}))
	c.play(t, "G: EHLO"+toMessage)
	if p := b.only(t).env.Peer; p.TLS == nil || p.Addr.String() != "192.0.2.1:1111" {
		t.Errorf("peer %+v", p)
	}
}
