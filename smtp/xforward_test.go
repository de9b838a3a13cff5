package smtp_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// The example of Postfix's XFORWARD_README.
func TestXFORWARD(t *testing.T) {
	b, log := new(inbox), new(logbook)
	s := &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32"), Trusted: prefixes("127.0.0.1/32"), Logger: slog.New(slog.NewTextHandler(log, nil))}
	play(t, s, `
		G: EHLO
		C: XFORWARD NAME=spike.porcupine.org ADDR=168.100.189.2 PROTO=ESMTP
		S: 250 2.0.0 OK
		C: XFORWARD HELO=spike.porcupine.org PORT=1111 IDENT=4C2F0A IDENT2=x
		S: 501 5.5.4 Syntax: ...
		C: XFORWARD HELO=spike.porcupine.org PORT=1111 IDENT=4C2F0A SOURCE=REMOTE
		S: 250 2.0.0 OK
		`+toMessage)
	p := b.only(t).env.Peer
	if o := p.Origin; o == nil || o.Addr.String() != "168.100.189.2:1111" || o.Hello != "spike.porcupine.org" || o.Protocol != "ESMTP" {
		t.Errorf("origin %+v", o)
	}
	// It is for logs and filters, and never for rights.
	if p.Addr.Addr().String() != "127.0.0.1" || p.Hello != "client.example.org" || !p.Trusted || p.Origin.Trusted || p.Origin.User != "" {
		t.Errorf("peer %+v", p)
	}
	wantReceived(t, b.only(t), "from client.example.org ([127.0.0.1])")
	log.want(t, "name=spike.porcupine.org", "origin=168.100.189.2")
	log.want(t, "ident=4C2F0A", "source=REMOTE")
}

func TestXFORWARDAttributes(t *testing.T) {
	for _, test := range []struct{ attrs, addr, hello, protocol string }{
		{"ADDR=IPv6:2001:db8::1 PORT=25", "[2001:db8::1]:25", "", ""},
		{"ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] NAME=[UNAVAILABLE] HELO=[unavailable] PROTO=[UNAVAILABLE] IDENT=[UNAVAILABLE] SOURCE=[UNAVAILABLE]", "invalid AddrPort", "", ""},
		{"NAME=localhost ADDR=127.0.0.1 SOURCE=local", "127.0.0.1:0", "", ""},
		{"HELO=a+20b+0D+0Ac PROTO=LMTP", "invalid AddrPort", "a?b??c", "LMTP"},
	} {
		b := new(inbox)
		play(t, &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32")}, "G: EHLO\nC: XFORWARD "+test.attrs+"\nS: 250 2.0.0 OK"+toMessage)
		if o := b.only(t).env.Peer.Origin; o == nil || o.Addr.String() != test.addr || o.Hello != test.hello || o.Protocol != test.protocol {
			t.Errorf("%s: origin %+v", test.attrs, o)
		}
	}
}

func TestXFORWARDRefused(t *testing.T) {
	script := "G: EHLO\nC: XFORWARD\nS: 501 5.5.4 An argument is missing\n"
	for _, attrs := range []string{
		"ADDR", "ADDR=", "LOGIN=user", "DESTADDR=192.0.2.1", "ADDR=192.0.2.1 ADDR=192.0.2.1", "ADDR=x", "PORT=70000", "SOURCE=FAR",
		"PROTO=" + strings.Repeat("x", 65), "IDENT=" + strings.Repeat("x", 256), "IDENT=+0",
	} {
		script += "C: XFORWARD " + attrs + "\nS: 501 5.5.4 Syntax: attribute=value, ...\n"
	}
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32"), MaxErrors: -1}, script+toMessage)
	if o := b.only(t).env.Peer.Origin; o != nil {
		t.Errorf("origin %+v", o)
	}
}

// It is of one message: of the next one the proxy may know nothing, and say nothing.
func TestXFORWARDIsOfOneMessage(t *testing.T) {
	for name, end := range map[string]string{
		"message": "G: EHLO\nC: XFORWARD ADDR=192.0.2.1\nS: 250 2.0.0 OK" + toMessage,
		"RSET":    "G: EHLO\nC: XFORWARD ADDR=192.0.2.1\nS: 250 2.0.0 OK\nC: RSET\nS: 250 2.0.0 OK",
		"EHLO":    "G: EHLO\nC: XFORWARD ADDR=192.0.2.1\nS: 250 2.0.0 OK\nG: EHLO",
		"XCLIENT": "G: EHLO\nC: XFORWARD ADDR=192.0.2.1\nS: 250 2.0.0 OK\nC: XCLIENT NAME=x\nS: 220 ...\nG: EHLO",
	} {
		t.Run(name, func(t *testing.T) {
			b := new(inbox)
			play(t, &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32")}, end+toMessage)
			if p := b.messages[len(b.messages)-1].env.Peer; p.Origin != nil {
				t.Errorf("origin %+v", p.Origin)
			}
			if name == "message" && (len(b.messages) != 2 || b.messages[0].env.Peer.Origin == nil) {
				t.Errorf("%d messages, the first from %+v", len(b.messages), b.messages[0].env.Peer.Origin)
			}
		})
	}
}

// A MAIL that is refused is not the message.
func TestXFORWARDOutlastsARefusedMAIL(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b, XFrom: prefixes("127.0.0.1/32")}, `
		G: EHLO
		C: XFORWARD ADDR=192.0.2.1
		S: 250 2.0.0 OK
		C: MAIL FROM:<a@example.org> FOO=BAR
		S: 555 5.5.4 Unknown parameter
		`+strings.Replace(toMessage, "<a@example.org>", "<a@example.org> SMTPUTF8", 1))
	if o := b.only(t).env.Peer.Origin; o == nil || o.Addr.Addr().String() != "192.0.2.1" {
		t.Errorf("origin %+v", o)
	}
}
