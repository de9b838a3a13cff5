package smtp_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// promising is a server with these promises, STARTTLS, and a peer that it trusts.
func promising(b *inbox, promises ...string) *smtp.Server {
	return &smtp.Server{Receiver: b, Extensions: promises, TLSConfig: testTLS(),
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

// offered is the reply to hello, by keyword.
func (c *wire) offered(t testing.TB, hello string) map[string]string {
	t.Helper()
	c.send(t, hello+" client.example.org\r\n")
	lines := map[string]string{}
	for first := true; ; first = false {
		l := c.line(t)
		if !strings.HasPrefix(l, "250") {
			t.Fatalf("%s: %q", hello, l)
		}
		if keyword, params, _ := strings.Cut(l[4:], " "); !first {
			lines[keyword] = params
		}
		if l[3] == ' ' {
			return lines
		}
	}
}

// envelopeWith is what s, which has b, makes of parameters that it takes under TLS.
func envelopeWith(t *testing.T, s *smtp.Server, b *inbox, mail, rcpt string) mailparts.Envelope {
	t.Helper()
	play(t, s, tlsFirst+`
		C: MAIL FROM:<a@example.org> `+mail+`
		S: 250 2...
		C: RCPT TO:<b@example.com> `+rcpt+`
		S: 250 2.1.5 OK
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	return b.only(t).env
}

const (
	okMail  = "250 2.1.0 OK"
	okRcpt  = "250 2.1.5 OK"
	bad     = "501 5.5.4 Malformed parameter"
	twice   = "501 5.5.4 A parameter is given twice"
	unknown = "555 5.5.4 Unknown parameter"
)

// A paramReply is a MAIL or RCPT with parameters, and its reply.
type paramReply struct{ params, reply string }

// replies plays each test on a connection of its own, under TLS.
func replies(t *testing.T, server func() *smtp.Server, command string, tests []paramReply) {
	t.Helper()
	script := tlsFirst
	if command == toRcpt {
		script += "C: " + toMail + "\nS: " + okMail + "\n"
	}
	for _, test := range tests {
		t.Run(test.params, func(t *testing.T) {
			play(t, server(), script+"C: "+command+" "+test.params+"\nS: "+test.reply)
		})
	}
}

const (
	toMail = "MAIL FROM:<a@example.org>"
	toRcpt = "RCPT TO:<b@example.com>"
)

// What goes for every parameter of an extension that is promised.
func TestParametersOfPromises(t *testing.T) {
	tests := []struct{ promise, command, param string }{
		{"DSN", toMail, "RET=HDRS"},
		{"DSN", toMail, "ENVID=QQ314159"},
		{"DSN", toRcpt, "NOTIFY=SUCCESS,FAILURE"},
		{"DSN", toRcpt, "ORCPT=rfc822;Dana@Ivory.EDU"},
		{"REQUIRETLS", toMail, "REQUIRETLS"},
		{"DELIVERBY", toMail, "BY=120;RT"},
		{"MT-PRIORITY", toMail, "MT-PRIORITY=3"},
		{"FUTURERELEASE 600", toMail, "HOLDFOR=60"},
		{"RRVS", toRcpt, "RRVS=2014-04-03T23:01:00Z;C"},
	}
	for _, test := range tests {
		t.Run(test.param, func(t *testing.T) {
			keyword, value, valued := strings.Cut(test.param, "=")
			ok := okMail
			mail := ""
			if test.command == toRcpt {
				ok, mail = okRcpt, "C: "+toMail+"\nS: "+okMail+"\n"
			}
			with := func(params, reply string) string { return mail + "C: " + test.command + " " + params + "\nS: " + reply }
			play(t, promising(new(inbox)), tlsFirst+with(test.param, unknown))
			play := func(script string) {
				t.Helper()
				play(t, promising(new(inbox), test.promise), tlsFirst+script)
			}
			play("G: HELO\n" + with(test.param, unknown))
			play(with(test.param, ok))
			play(with(strings.ToLower(test.param), ok))
			play(with(test.param+" "+strings.ToLower(test.param), twice))
			play(with(test.param+" FOO", unknown))
			play(with(keyword+"=", bad))
			play(with(keyword+"=x=y", bad))
			if valued {
				play(with(keyword, bad))
				play(with(keyword+"="+value+"ü", bad))
				play(with(keyword+"="+value+`\x00`, "501 5.5.2 ..."))
			}
			if test.command == toMail {
				play("C: " + toMail + "\nS: " + okMail + "\nC: " + toRcpt + " " + test.param + "\nS: " + unknown)
			} else {
				play("C: " + toMail + " " + test.param + "\nS: " + unknown)
			}
		})
	}
}

// HELO offers nothing, so nothing is taken: RFC 5321 section 4.1.1.1.
func TestNoParametersAfterHELO(t *testing.T) {
	for _, param := range []string{"SIZE=1", "BODY=8BITMIME", "SMTPUTF8", "AUTH=<>", "SIZE=99999999999999"} {
		s := promising(new(inbox))
		s.Auth = users{}
		play(t, s, "G: EHLO\nG: HELO\nC: "+toMail+" "+param+"\nS: "+unknown+"\nC: "+toMail+"\nS: "+okMail)
	}
}

// Every parameter at once, and all of them in an LMTP session.
func TestEveryParameter(t *testing.T) {
	promises := []string{"DSN", "requiretls", "DELIVERBY 240", "MT-PRIORITY MIXER", "FUTURERELEASE 600", "RRVS"}
	b := new(inbox)
	env := envelopeWith(t, promising(b, promises...), b,
		"SIZE=5 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=QQ314159 REQUIRETLS BY=300;NT MT-PRIORITY=-3 HOLDFOR=60",
		"NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;Dana@Ivory.EDU RRVS=2014-04-03T23:01:00Z")
	to := env.To[0]
	if env.Ret != "FULL" || env.EnvID != "QQ314159" || !env.RequireTLS || env.By.Time.IsZero() || env.Priority != -3 || env.Hold.IsZero() {
		t.Errorf("envelope %+v", env)
	}
	if to.Notify != mailparts.NotifySuccess|mailparts.NotifyFailure|mailparts.NotifyDelay || to.ORcpt != "rfc822;Dana@Ivory.EDU" || to.Since.IsZero() {
		t.Errorf("recipient %+v", to)
	}

	s := promising(new(inbox), promises...)
	s.LMTP = true
	c := dialServer(t, s)
	c.play(t, strings.ReplaceAll(tlsFirst, "EHLO", "LHLO"))
	lines := c.offered(t, "LHLO")
	for keyword, params := range map[string]string{"DSN": "", "REQUIRETLS": "", "DELIVERBY": "240", "MT-PRIORITY": "MIXER", "RRVS": ""} {
		if got, ok := lines[keyword]; !ok || got != params {
			t.Errorf("LHLO shows %s %q, %v", keyword, got, ok)
		}
	}
}

func TestServeRefusesPromises(t *testing.T) {
	for _, promises := range []string{
		"FOO", "SIZE", "STARTTLS", "", " DSN", "DSN,RRVS", "DSN RET", "DSN|dsn", "DELIVERBY|DELIVERBY 240",
		"REQUIRETLS yes", "RRVS 1", "BINARYMIME 1",
		"DELIVERBY -1", "DELIVERBY 1234567890", "DELIVERBY x", "DELIVERBY 240,x", "DELIVERBY 240\r\nFOO",
		"MT-PRIORITY a b", "MT-PRIORITY " + strings.Repeat("x", 21), "MT-PRIORITY MIXER\r\n250 FOO", "MT-PRIORITY ü",
		"FUTURERELEASE", "FUTURERELEASE 0", "FUTURERELEASE 060", "FUTURERELEASE 1234567890", "FUTURERELEASE -1", "FUTURERELEASE x",
		"FUTURERELEASE 600 2030-01-01T00:00:00Z",
	} {
		s := &smtp.Server{Receiver: new(inbox), Extensions: strings.Split(promises, "|")}
		serveFails(t, s, "Extensions "+promises)
	}
}

// serveFails wants Serve to refuse the fields of s, and to close its listener.
func serveFails(t *testing.T, s *smtp.Server, what string) {
	t.Helper()
	l := mailtest.NewListener()
	if err := s.Serve(l); err == nil || err == mailparts.ErrServerClosed {
		t.Errorf("%s: Serve: %v", what, err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%s: the listener is open: %v", what, err)
	}
}

// However much a server has, EHLO tells it all.
func TestEHLOTellsAll(t *testing.T) {
	s := promising(new(inbox), "DSN", "REQUIRETLS", "BINARYMIME", "DELIVERBY", "MT-PRIORITY", "FUTURERELEASE 60", "RRVS")
	s.XFrom = s.Trusted
	s.Auth = users{}
	s.AllowInsecureAuth = true
	s.Verify = func(context.Context, *mailparts.Peer, string) (string, error) { return "", nil }
	s.Expand = func(context.Context, *mailparts.Peer, string) ([]string, error) { return nil, nil }
	s.Flush = func(context.Context, *mailparts.Peer, string) error { return nil }
	c := dialServer(t, s)
	c.play(t, "S: 220 ...")
	got := slices.Sorted(maps.Keys(c.offered(t, "EHLO")))
	want := strings.Fields("8BITMIME AUTH BINARYMIME CHUNKING DELIVERBY DSN ENHANCEDSTATUSCODES ETRN EXPN FUTURERELEASE HELP LIMITS MT-PRIORITY PIPELINING RRVS SIZE SMTPUTF8 STARTTLS VRFY XCLIENT XFORWARD")
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
