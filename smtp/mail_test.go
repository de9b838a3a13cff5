package smtp_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestMailArguments(t *testing.T) {
	const ok = "250 2.1.0 OK"
	long := strings.Repeat("x", 64)
	tests := []struct{ arg, reply string }{
		{`FROM:<a@example.org>`, ok},
		{`from:<a@example.org>`, ok},
		{`FROM: <a@example.org>`, ok}, // wrong and common
		{`FROM:<>`, ok},
		{`FROM:<"a b"@example.org>`, ok},
		{`FROM:<"a>b"@example.org>`, ok},
		{`FROM:<"a\">b"@example.org>`, ok},
		{`FROM:<a@[192.0.2.1]>`, ok},
		{`FROM:<a@[IPv6:2001:db8::1]>`, ok},
		{`FROM:<@one.example,@two.example:a@example.org>`, ok},
		{`FROM:<` + long + `@example.org>`, ok},
		{`FROM:<x` + long + `@example.org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<postmaster>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<a b@example.org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<a@@example.org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<a.@example.org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<a@example..org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<@one.example>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<@one.example,two.example:a@example.org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<@one..example:a@example.org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:<@:a@example.org>`, "501 5.1.7 Malformed sender address"},
		{`FROM:a@example.org`, "501 5.5.4 Syntax: ..."},
		{`FROM:<a@example.org`, "501 5.5.4 Syntax: ..."},
		{`FROM:<a@example.org>SIZE=1`, "501 5.5.4 Syntax: ..."},
		{`FROM:<"a@example.org>`, "501 5.5.4 Syntax: ..."},
		{`FROM <a@example.org>`, "501 5.5.4 Syntax: ..."},
		{`TO:<a@example.org>`, "501 5.5.4 Syntax: ..."},
		{`a@example.org`, "501 5.5.4 Syntax: ..."},
		{`FROM:`, "501 5.5.4 Syntax: ..."},

		{`FROM:<a@example.org> SIZE=1000`, ok}, // exactly the limit
		{`FROM:<a@example.org> SIZE=0`, ok},
		{`FROM:<a@example.org> size=5  body=8bitmime`, ok},
		{`FROM:<a@example.org> SIZE=1001`, "552 5.3.4 The message is too big"},
		{`FROM:<a@example.org> SIZE=99999999999999999999`, "552 5.3.4 The message is too big"},
		{`FROM:<a@example.org> SIZE=100000000000000000000`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> SIZE=-1`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> SIZE=x`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> SIZE=`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> SIZE`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> SIZE=1 SIZE=1`, "501 5.5.4 A parameter is given twice"},
		{`FROM:<a@example.org> BODY=7BIT`, ok},
		{`FROM:<a@example.org> BODY=8BITMIME`, ok},
		{`FROM:<a@example.org> BODY=BINARYMIME`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> BODY`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> SMTPUTF8`, ok},
		{`FROM:<a@example.org> SMTPUTF8=yes`, "501 5.5.4 Malformed parameter"},
		{`FROM:<ü@example.org> SMTPUTF8`, ok},
		{`FROM:<a@bücher.example> SMTPUTF8`, ok},
		{`FROM:<ü@example.org>`, "550 5.6.7 A non-ASCII address needs SMTPUTF8"},
		{`FROM:<a@bücher.example>`, "550 5.6.7 A non-ASCII address needs SMTPUTF8"},
		{`FROM:<a@example.org> FOO`, "555 5.5.4 Unknown parameter"},
		{`FROM:<a@example.org> FOO=bar`, "555 5.5.4 Unknown parameter"},
		{`FROM:<a@example.org> RET=HDRS`, "555 5.5.4 Unknown parameter"},
		{`FROM:<a@example.org> AUTH=<>`, "555 5.5.4 Unknown parameter"}, // AUTH is not offered
		{`FROM:<a@example.org> FOO=a=b`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> -FOO`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> F(O`, "501 5.5.4 Malformed parameter"},
		{`FROM:<a@example.org> =1`, "501 5.5.4 Malformed parameter"},
	}
	for _, test := range tests {
		t.Run(test.arg, func(t *testing.T) {
			script := "G: EHLO\nC: MAIL " + test.arg + "\nS: " + test.reply
			if test.reply != ok {
				script += "\nC: RCPT TO:<b@example.com>\nS: 503 5.5.1 Need MAIL first"
			}
			play(t, &smtp.Server{Receiver: new(inbox), MaxMessageBytes: 1000}, script)
		})
	}
}

// What goes on to the next server is what came, and cannot grow a parameter.
func TestQuotedLocalPartStaysQuoted(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, `
		G: EHLO
		C: MAIL FROM:<"a> SIZE=1 <b"@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<"c d"@example.com>
		S: 250 2.1.5 OK
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	m := b.only(t)
	if m.env.From != `"a> SIZE=1 <b"@example.org` || m.env.To[0].Addr != `"c d"@example.com` {
		t.Errorf("from %q to %q", m.env.From, m.env.To[0].Addr)
	}
}

func TestEnvelope(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b, Auth: users{}, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, `
		G: EHLO
		C: MAIL FROM:<ü@example.org> SIZE=77 BODY=8BITMIME SMTPUTF8 AUTH=e+3Dmc2@example.com
		S: 250 2.1.0 OK
		C: RCPT TO:<Postmaster>
		S: 250 2.1.5 OK
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	env := b.only(t).env
	if env.From != "ü@example.org" || env.Size != 77 || env.Body != "8BITMIME" || !env.UTF8 || env.ID == "" {
		t.Errorf("envelope %+v", env)
	}
	if env.AuthSender == nil || *env.AuthSender != "e=mc2@example.com" {
		t.Errorf("AUTH= is %v", env.AuthSender)
	}
	p := env.Peer
	if p.Protocol != "UTF8SMTP" || p.Hello != "client.example.org" || p.User != "" || p.TLS != nil || !p.Trusted {
		t.Errorf("peer %+v", p)
	}
	if p.Addr.Addr() != netip.MustParseAddr("127.0.0.1") || p.Local != netip.MustParseAddrPort("127.0.0.1:25") {
		t.Errorf("from %v to %v", p.Addr, p.Local)
	}
}

// RFC 4954 section 5: whom a peer is not trusted to name is "<>".
func TestAuthParameter(t *testing.T) {
	play := func(t *testing.T, s *smtp.Server, value, reply string) (sender *mailparts.Address) {
		b := new(inbox)
		s.Receiver, s.Auth = b, users{}
		c := dialServer(t, s)
		c.play(t, "G: EHLO\nC: MAIL FROM:<a@example.org> AUTH="+value+"\nS: "+reply)
		if strings.HasPrefix(reply, "250") {
			c.play(t, `
				C: RCPT TO:<b@example.com>
				S: 250 2.1.5 OK
				C: DATA\r\n.
				S: 354 ...
				S: 250 2.0.0 OK queued as ID
			`)
			sender = b.only(t).env.AuthSender
			if sender == nil {
				t.Fatal("AUTH= is lost")
			}
		}
		return sender
	}
	trusting := func() *smtp.Server {
		return &smtp.Server{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	}
	if got := play(t, trusting(), "c@example.com", "250 2.1.0 OK"); *got != "c@example.com" {
		t.Errorf("trusted: %q", *got)
	}
	if got := play(t, trusting(), "<>", "250 2.1.0 OK"); *got != "" {
		t.Errorf("trusted, unknown: %q", *got)
	}
	if got := play(t, new(smtp.Server), "c@example.com", "250 2.1.0 OK"); *got != "" {
		t.Errorf("not trusted: %q", *got)
	}
	for _, bad := range []string{"", "c", "c+3", "c+3d@example.com", "+00@example.com", "c@example.com+20SIZE", "c+C3+BC@example.com+"} {
		play(t, trusting(), bad, "501 5.5.4 Malformed parameter")
	}
	play(t, trusting(), "+C3+BC@example.com", "550 5.6.7 A non-ASCII address needs SMTPUTF8")
}

func TestReceiverRefusesMail(t *testing.T) {
	b := new(inbox)
	refuse := mailparts.OnMail(func(_ context.Context, env *mailparts.Envelope) error {
		if env.From == "evil@example.org" {
			return &mailparts.Error{Code: 550, Status: "5.7.1", Message: "Not you"}
		}
		return nil
	})
	play(t, &smtp.Server{Receiver: mailparts.Chain(b, refuse)}, `
		G: EHLO
		C: MAIL FROM:<evil@example.org>
		S: 550 5.7.1 Not you
		C: RCPT TO:<b@example.com>
		S: 503 5.5.1 Need MAIL first
		C: MAIL FROM:<good@example.org>
		S: 250 2.1.0 OK
	`)
}
