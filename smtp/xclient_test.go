package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// The examples of Postfix's XCLIENT_README: a client that tells who it is, and one
// that says a host has no name.
func TestXCLIENT(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, Hostname: "server.example.com", XFrom: prefixes("127.0.0.1/32"), Trusted: prefixes("127.0.0.1/32")}
	c := dialServer(t, s)
	c.play(t, "S: 220 server.example.com ESMTP")
	c.wantXOffers(t, "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT", "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT")
	c.play(t, `
		C: XCLIENT NAME=spike.porcupine.org ADDR=168.100.189.2
		S: 220 server.example.com ESMTP
	`)
	c.wantXOffers(t) // who the client is, it may not say itself
	c.play(t, `
		C: XCLIENT ADDR=127.0.0.1
		S: 550 5.7.0 You may not speak for others
		C: XFORWARD ADDR=127.0.0.1
		S: 550 5.7.0 You may not speak for others
		`+toMessage)
	m := b.only(t)
	wantReceived(t, m, "from spike.porcupine.org ([168.100.189.2])")
	if p := m.env.Peer; p.Addr.String() != "168.100.189.2:0" || p.Local.String() != "127.0.0.1:25" || p.Trusted || p.Hello != "spike.porcupine.org" {
		t.Errorf("peer %+v", p)
	}
}

// wantXOffers says EHLO and wants those lines that begin with X.
func (c *wire) wantXOffers(t *testing.T, want ...string) {
	t.Helper()
	c.send(t, "EHLO spike.porcupine.org\r\n")
	var got []string
	for {
		l := c.line(t)
		if !strings.HasPrefix(l, "250") {
			t.Fatalf("EHLO: %q", l)
		}
		if l[4] == 'X' {
			got = append(got, l[4:])
		}
		if l[3] == ' ' {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("EHLO offers %q, want %q", got, want)
	}
}

func TestXCLIENTAttributes(t *testing.T) {
	peer := func(p *mailparts.Peer) string {
		return strings.Join([]string{p.Addr.String(), p.Local.String(), p.Hello, p.Protocol, p.User}, " ")
	}
	for _, test := range []struct{ attrs, want string }{
		{"NAME=[UNAVAILABLE] ADDR=192.0.2.1 PORT=1111", "192.0.2.1:1111 127.0.0.1:25 client.example.org ESMTP "},
		{"name=[tempunavail] addr=IPv6:2001:DB8::1 port=65535", "[2001:db8::1]:65535 127.0.0.1:25 client.example.org ESMTP "},
		{"ADDR=ipv6:::ffff:192.0.2.1", "192.0.2.1:0 127.0.0.1:25 client.example.org ESMTP "},
		{"ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE]", "invalid AddrPort 127.0.0.1:25 client.example.org ESMTP "},
		{"PORT=1111", "127.0.0.1:1111 127.0.0.1:25 client.example.org ESMTP "},
		{"ADDR=192.0.2.1 DESTADDR=198.51.100.1 DESTPORT=587", "192.0.2.1:0 198.51.100.1:587 client.example.org ESMTP "},
		{"DESTPORT=587", "127.0.0.1:PORT 127.0.0.1:587 client.example.org ESMTP "},
		{"ADDR=192.0.2.1 LOGIN=user+40example.com", "192.0.2.1:0 127.0.0.1:25 client.example.org ESMTPA user@example.com"},
		{"ADDR=192.0.2.1 LOGIN=[UNAVAILABLE]", "192.0.2.1:0 127.0.0.1:25 client.example.org ESMTP "},
		{"LOGIN=b+C3+BCcher", "127.0.0.1:PORT 127.0.0.1:25 client.example.org ESMTPA bücher"},
	} {
		t.Run(test.attrs, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32")})
			c.play(t, "G: EHLO\nC: XCLIENT "+test.attrs+"\nS: 220 mx.example.com ESMTP\nG: EHLO"+toMessage)
			_, port, _ := strings.Cut(c.LocalAddr().String(), ":")
			if got, want := peer(b.only(t).env.Peer), strings.Replace(test.want, "PORT", port, 1); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// With HELO a client has greeted already, as far as its proxy says so.
func TestXCLIENTGreets(t *testing.T) {
	for _, test := range []struct{ attrs, hello, protocol string }{
		{"HELO=spike.porcupine.org PROTO=ESMTP", "spike.porcupine.org", "ESMTP"},
		{"HELO=spike.porcupine.org PROTO=smtp", "spike.porcupine.org", "SMTP"},
		{"HELO=spike.porcupine.org", "spike.porcupine.org", "SMTP"},
		{"HELO=[192.0.2.1] PROTO=SMTP", "[192.0.2.1]", "SMTP"},
		{"HELO=a+20(b)+0D+0A<c>;+22+FF", "a??b????c????", "SMTP"},
	} {
		b := new(inbox)
		play(t, &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32")}, `
			S: 220 ...
			C: XCLIENT ADDR=192.0.2.1 `+test.attrs+`
			S: 220 mx.example.com ESMTP
			`+toMessage)
		m := b.only(t)
		wantReceived(t, m, "from "+test.hello+" ([192.0.2.1])")
		wantReceived(t, m, "with "+test.protocol+" id")
		if p := m.env.Peer; p.Hello != test.hello || p.Protocol != test.protocol {
			t.Errorf("%s: peer %+v", test.attrs, p)
		}
	}
}

func TestXCLIENTRefused(t *testing.T) {
	const syntax = "S: 501 5.5.4 Syntax: attribute=value, each attribute once, of those that EHLO has\n"
	long := strings.Repeat("x", 256)
	script := "G: EHLO\nC: XCLIENT\nS: 501 5.5.4 An argument is missing\n"
	for _, attrs := range []string{
		"ADDR", "ADDR=", "=192.0.2.1", "FOO=bar", "ADDR=192.0.2.1 ADDR=192.0.2.2", "ADDR=192.0.2.1 addr=192.0.2.1", "SOURCE=LOCAL", "IDENT=x",
		"ADDR=[192.0.2.1]", "ADDR=192.0.2.256", "ADDR=2001:db8::1", "ADDR=IPV6:192.0.2.1", "ADDR=IPV6:", "ADDR=IPV6:fe80::1%eth0", "ADDR=localhost",
		"DESTADDR=x", "PORT=65536", "PORT=-1", "PORT=x", "DESTPORT=65536", "PROTO=LMTP", "PROTO=ESMTPS",
		"LOGIN=a+0Ab", "LOGIN=+FF", "LOGIN=" + long, "NAME=" + long, "HELO=" + long, "REVERSE_NAME=" + long,
		"NAME=a+2", "NAME=a+2b", "NAME=a+xx",
	} {
		script += "C: XCLIENT " + attrs + "\n" + syntax
	}
	b := new(inbox)
	// Nothing has changed.
	play(t, &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32"), MaxErrors: -1}, script+toMessage)
	if p := b.only(t).env.Peer; p.Addr.Addr().String() != "127.0.0.1" || p.Hello != "client.example.org" || p.User != "" {
		t.Errorf("peer %+v", p)
	}
}

func TestXCLIENTIsForXFromOnly(t *testing.T) {
	for name, from := range map[string][]string{"nobody": nil, "others": {"192.0.2.0/24", "::/0"}} {
		t.Run(name, func(t *testing.T) {
			c := dialServer(t, &smtp.Server{Receiver: new(inbox), XFrom: prefixes(from...)})
			c.play(t, "G: EHLO")
			c.wantXOffers(t)
			c.play(t, `
				C: XCLIENT ADDR=192.0.2.1
				S: 550 5.7.0 You may not speak for others
				C: XFORWARD ADDR=192.0.2.1
				S: 550 5.7.0 You may not speak for others
			`)
		})
	}
}

func TestXCLIENTInATransaction(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), XFrom: prefixes("127.0.0.1/32")}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: XCLIENT ADDR=192.0.2.1
		S: 503 5.5.1 A mail transaction is open already
		C: XFORWARD ADDR=192.0.2.1
		S: 503 5.5.1 A mail transaction is open already
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: RSET\r\nXCLIENT ADDR=192.0.2.1\r\nMAIL FROM:<a@example.org>
		S: 250 2.0.0 OK
		S: 220 mx.example.com ESMTP
		S: 503 5.5.1 Greet first
	`)
}

// A proxy that passes on the client's own words after XCLIENT must not find them to
// have its rights, neither by STARTTLS, nor where the client has no address.
func TestXCLIENTOutlastsSTARTTLS(t *testing.T) {
	for _, attrs := range []string{"ADDR=192.0.2.1 LOGIN=user", "ADDR=[UNAVAILABLE] LOGIN=user"} {
		b := new(inbox)
		s := &smtp.Server{Receiver: b, TLSConfig: testTLS(), XFrom: prefixes("127.0.0.1/32"), Trusted: prefixes("127.0.0.1/32")}
		play(t, s, `
			S: 220 ...
			C: XCLIENT `+attrs+`
			S: 220 ...
			G: EHLO
			C: STARTTLS
			S: 220 2.0.0 Ready to start TLS
			T:
			G: EHLO
			C: XCLIENT ADDR=127.0.0.1
			S: 550 5.7.0 You may not speak for others
			`+toMessage)
		if p := b.only(t).env.Peer; p.Trusted || p.User != "" || strings.HasPrefix(p.Addr.String(), "127") {
			t.Errorf("%s: peer %+v", attrs, p)
		}
	}
}

// The next client of the same proxy has nothing of the one before.
func TestXCLIENTAgain(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32", "192.0.2.0/24"), Trusted: prefixes("192.0.2.1/32")}
	play(t, s, `
		S: 220 ...
		C: XCLIENT ADDR=192.0.2.1 PORT=1111 LOGIN=user HELO=one.example.org PROTO=ESMTP
		S: 220 ...
		C: XCLIENT ADDR=192.0.2.2
		S: 220 ...
		C: MAIL FROM:<a@example.org>
		S: 503 5.5.1 Greet first
		G: EHLO
		`+toMessage)
	if p := b.only(t).env.Peer; p.Addr.String() != "192.0.2.2:0" || p.User != "" || p.Trusted {
		t.Errorf("peer %+v", p)
	}
}

// The session is anew: Admit has its say, and the greeting is its answer.
func TestXCLIENTAsksAdmit(t *testing.T) {
	admit := func(_ context.Context, p *mailparts.Peer) error {
		switch {
		case p.Addr.Addr().String() == "192.0.2.1":
			return errUnwelcome
		case p.User == "mallory":
			return errGoAway
		case p.Hello == "broken.example.org":
			return errors.New("secret")
		}
		return nil
	}
	for attrs, want := range map[string]string{
		"ADDR=192.0.2.2": "S: 220 mx.example.com ESMTP\nG: EHLO" + toMessage,
		"ADDR=192.0.2.1": `
			S: 554 5.7.1 Not from there
			C: EHLO client.example.org
			S: 503 You are not welcome here: QUIT
			C: XCLIENT ADDR=192.0.2.2
			S: 503 5.5.1 You are not welcome here: QUIT
			C: QUIT
			S: 221 ...
			S!`,
		"LOGIN=mallory":           "S: 421 4.7.0 Go away\nS!",
		"HELO=broken.example.org": "S: 421 4.3.0 Temporary failure, please try again later\nS!",
	} {
		play(t, &smtp.Server{Receiver: new(inbox), Admit: admit, XFrom: prefixes("127.0.0.0/8")}, "G: EHLO\nC: XCLIENT "+attrs+"\n"+want)
	}
}

// A client that XCLIENT has authenticated need not do it again.
func TestXCLIENTLogin(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, TLSConfig: testTLS(), Auth: users{}, RequireAuth: true, XFrom: prefixes("127.0.0.1/32")}
	play(t, s, tlsFirst+`
		C: MAIL FROM:<a@example.org>
		S: 530 5.7.0 Authentication required
		C: XCLIENT ADDR=192.0.2.1 LOGIN=user
		S: 220 mx.example.com ESMTP
		G: EHLO
		C: AUTH PLAIN
		S: 503 5.5.1 Authenticated already
		`+toMessage)
	if p := b.only(t).env.Peer; p.User != "user" || p.Protocol != "ESMTPSA" {
		t.Errorf("peer %+v", p)
	}
}

// In LMTP the greeting is LMTP's.
func TestXCLIENTOverLMTP(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), LMTP: true, XFrom: prefixes("127.0.0.1/32")}, `
		G: LHLO
		C: XCLIENT ADDR=192.0.2.1
		S: 220 mx.example.com LMTP
		G: LHLO
		`+toMessage)
}

// Nor is the certificate that a proxy shows its client's.
func TestXCLIENTHasNoCertificate(t *testing.T) {
	cfg := testTLS()
	cfg.ClientAuth = tls.RequireAnyClientCert
	b := new(inbox)
	s := &smtp.Server{Receiver: b, Hostname: "mx.example.com", TLSConfig: cfg, XFrom: prefixes("127.0.0.1/32")}
	l := listen(t, s, s.ServeTLS)
	nc, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c := newWire(t, tls.Client(nc, &tls.Config{RootCAs: testCA(), ServerName: "mx.example.com", Certificates: cfg.Certificates}))
	c.play(t, "G: EHLO"+toMessage+"C: XCLIENT ADDR=192.0.2.1\nS: 220 ...\nG: EHLO"+toMessage)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, want := range []int{1, 0} {
		if p := b.messages[i].env.Peer; p.TLS == nil || len(p.TLS.PeerCertificates) != want {
			t.Errorf("message %d: %d certificates, want %d", i, len(p.TLS.PeerCertificates), want)
		}
	}
}
