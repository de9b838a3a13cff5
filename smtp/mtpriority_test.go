package smtp_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 6710 section 8: the first of its examples, without what other extensions do.
func TestPriorityDialogue(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, TLSConfig: testTLS(), Auth: users{}, Extensions: []string{"DSN", "DELIVERBY", "MT-PRIORITY MIXER"}}
	c := dialServer(t, s)
	c.play(t, tlsFirst)
	if policy := c.offered(t, "EHLO")["MT-PRIORITY"]; policy != "MIXER" {
		t.Errorf("the policy is %q", policy)
	}
	c.play(t, `
		C: AUTH PLAIN `+b64("\x00user\x00secret")+`
		S: 235 2.7.0 Authentication successful
		C: MAIL FROM:<eljefe@example.com> BY=125;R ENVID=QQ314159 MT-PRIORITY=3
		S: 250 2.1.0 OK
		C: RCPT TO:<topbanana@example.net>
		S: 250 2.1.5 OK
		C: RCPT TO:<Dana@Ivory.example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Dana@Ivory.example.net
		S: 250 2.1.5 OK
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	m := b.only(t)
	if m.env.Priority != 3 {
		t.Errorf("priority %d", m.env.Priority)
	}
	wantReceived(t, m, "priority 3") // RFC 6710 section 4.1
}

func TestPriorityValues(t *testing.T) {
	server := func() *smtp.Server { return promising(new(inbox), "MT-PRIORITY") }
	replies(t, server, toMail, []paramReply{
		{"MT-PRIORITY=0", okMail},
		{"MT-PRIORITY=9", okMail},
		{"MT-PRIORITY=-9", okMail},
		{"MT-PRIORITY=10", bad},
		{"MT-PRIORITY=-10", bad},
		{"MT-PRIORITY=-0", bad},
		{"MT-PRIORITY=+1", bad},
		{"MT-PRIORITY=01", bad},
		{"MT-PRIORITY=1.5", bad},
		{"MT-PRIORITY=-", bad},
		{"MT-PRIORITY=--1", bad},
		{"MT-PRIORITY=x", bad},
	})
}

// RFC 6710 section 4.1: who is not trusted may lower a priority, and no more.
func TestPriorityIsForTheTrusted(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, test := range []struct {
		name          string
		trusted, lmtp bool
		asked, reply  string
		priority      int
	}{
		{"a stranger", false, false, "3", "250 2.3.6 0 is the new priority of the message", 0},
		{"a stranger who is modest", false, false, "-3", okMail, -3},
		{"a stranger who asks for nothing", false, false, "0", okMail, 0},
		{"a trusted peer", true, false, "9", okMail, 9},
		{"LMTP", false, true, "9", okMail, 9},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := new(inbox)
			s := &smtp.Server{Receiver: b, LMTP: test.lmtp, Extensions: []string{"MT-PRIORITY"}}
			if test.trusted {
				s.Trusted = loopback
			}
			hello := map[bool]string{false: "EHLO", true: "LHLO"}[test.lmtp]
			play(t, s, "G: "+hello+"\nC: MAIL FROM:<a@example.org> MT-PRIORITY="+test.asked+"\nS: "+test.reply+`
				C: RCPT TO:<b@example.com>
				S: 250 2.1.5 OK
				C: DATA\r\n.
				S: 354 ...
				S: 250 2.0.0 OK queued as ID
			`)
			m := b.only(t)
			if m.env.Priority != test.priority {
				t.Errorf("priority %d, want %d", m.env.Priority, test.priority)
			}
			if test.priority == 0 && strings.Contains(m.text, "priority") {
				t.Errorf("received %q", m.text)
			}
		})
	}
}

// A policy of the site: RFC 6710 section 8 has the reply.
func TestPriorityByPolicy(t *testing.T) {
	raise := mailparts.OnMail(func(_ context.Context, env *mailparts.Envelope) error {
		env.Priority = 3
		return nil
	})
	for _, test := range []struct{ promise, params, reply string }{
		{"MT-PRIORITY", "", "250 2.3.6 3 is the new priority of the message"},
		{"MT-PRIORITY", " MT-PRIORITY=9", "250 2.3.6 3 is the new priority of the message"},
		{"MT-PRIORITY", " MT-PRIORITY=3", okMail},
		{"DSN", "", okMail}, // told to nobody who cannot ask
	} {
		play(t, &smtp.Server{Receiver: mailparts.Chain(new(inbox), raise), Extensions: []string{test.promise}}, `
			G: EHLO
			C: MAIL FROM:<a@example.org>`+test.params+`
			S: `+test.reply)
	}
}
