package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// RFC 5321 appendix D.1.
func TestTypicalTransaction(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b, Hostname: "foo.com"}, `
		S: 220 foo.com ESMTP
		C: EHLO bar.com
		S: 250-foo.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: MAIL FROM:<Smith@bar.com>
		S: 250 2.1.0 OK
		C: RCPT TO:<Jones@foo.com>
		S: 250 2.1.5 OK
		C: RCPT TO:<unknown@foo.com>
		S: 550 5.1.1 No such user
		C: RCPT TO:<Brown@foo.com>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 End data with <CR><LF>.<CR><LF>
		C: Blah blah blah...
		C: ..etc. etc. etc.
		C: .
		S: 250 2.0.0 OK queued as ID
		C: QUIT
		S: 221 2.0.0 foo.com closing the connection
		S!
	`)
	m := b.only(t)
	if got := m.content(t); got != "Blah blah blah...\r\n.etc. etc. etc.\r\n" {
		t.Errorf("content %q", got)
	}
	if m.env.From != "Smith@bar.com" || len(m.env.To) != 2 || m.env.To[0].Addr != "Jones@foo.com" || m.env.To[1].Addr != "Brown@foo.com" {
		t.Errorf("from %q to %v", m.env.From, m.env.To)
	}
}

// RFC 5321 appendix D.2.
func TestAbortedTransaction(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, `
		G: EHLO
		C: MAIL FROM:<Smith@bar.com>
		S: 250 2.1.0 OK
		C: RCPT TO:<Jones@foo.com>
		S: 250 2.1.5 OK
		C: RCPT TO:<unknown@foo.com>
		S: 550 5.1.1 No such user
		C: RSET
		S: 250 2.0.0 OK
		C: QUIT
		S: 221 2.0.0 mx.example.com closing the connection
		S!
	`)
	if b.count() != 0 || b.closed != 1 || b.open != 0 {
		t.Errorf("%d messages, %d transactions closed, %d open", b.count(), b.closed, b.open)
	}
}

// RFC 5321 appendix D.3, with the null sender of a bounce and a source route.
func TestRelayedTransaction(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, `
		G: EHLO
		C: MAIL FROM:<>
		S: 250 2.1.0 OK
		C: RCPT TO:<@foo.com,@bar.example:Jones@XYZ.COM>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 End data with <CR><LF>.<CR><LF>
		C: Date: Thu, 21 May 1998 05:33:29 -0700
		C:
		C: .
		S: 250 2.0.0 OK queued as ID
		C: QUIT
		S: 221 2.0.0 mx.example.com closing the connection
	`)
	if m := b.only(t); m.env.From != "" || m.env.To[0].Addr != "Jones@XYZ.COM" {
		t.Errorf("from %q to %v", m.env.From, m.env.To)
	}
}

// RFC 5321 appendix D.4: verifying, then sending.
func TestVerifyThenSend(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox)}, `
		S: 220 mx.example.com ESMTP
		# RFC 5321 section 4.1.4: VRFY needs no EHLO
		C: VRFY Crispin
		S: 252 2.0.0 Cannot verify, ...
		C: VRFY
		S: 501 5.5.4 An argument is missing
		C: EXPN list
		S: 502 5.5.1 Not implemented
		G: EHLO
		C: MAIL FROM:<EAK@bar.com>
		S: 250 2.1.0 OK
		C: RCPT TO:<Admin.MRC@foo.com>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 End data with <CR><LF>.<CR><LF>
		C: Blah blah blah...
		C: .
		S: 250 2.0.0 OK queued as ID
	`)
}

func TestTransactionsFollowOneAnother(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, "G: EHLO\n"+strings.Repeat(`
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 End data with <CR><LF>.<CR><LF>
		C: .
		S: 250 2.0.0 OK queued as ID
		C: DATA
		S: 503 5.5.1 Need MAIL first
	`, 3))
	if b.count() != 3 || b.closed != 3 {
		t.Fatalf("%d messages, %d transactions closed", b.count(), b.closed)
	}
	ids := []string{b.messages[0].env.ID, b.messages[1].env.ID, b.messages[2].env.ID}
	if ids[0] >= ids[1] || ids[1] >= ids[2] {
		t.Errorf("IDs are not in order: %q", ids)
	}
}

func TestCommandsOutOfOrder(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), MaxErrors: -1}, `
		S: 220 mx.example.com ESMTP
		C: MAIL FROM:<a@example.org>
		S: 503 5.5.1 Greet first
		C: RCPT TO:<b@example.com>
		S: 503 5.5.1 Need MAIL first
		C: DATA
		S: 503 5.5.1 Need MAIL first
		C: RSET
		S: 250 2.0.0 OK
		C: NOOP
		S: 250 2.0.0 OK
		C: HELO client.example.org
		S: 250 mx.example.com
		C: DATA
		S: 503 5.5.1 Need MAIL first
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: MAIL FROM:<a@example.org>
		S: 503 5.5.1 A mail transaction is open already
		C: DATA
		S: 554 5.5.1 No valid recipients
		C: RCPT TO:<unknown@example.com>
		S: 550 5.1.1 No such user
		C: DATA
		S: 554 5.5.1 No valid recipients
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		# EHLO is RSET too (RFC 5321 section 4.1.4)
		G: EHLO
		C: RCPT TO:<b@example.com>
		S: 503 5.5.1 Need MAIL first
	`)
}

// A refused EHLO changes nothing (RFC 5321 section 4.1.4).
func TestRefusedEHLOChangesNothing(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox)}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: EHLO
		S: 501 A domain or an address literal is needed
		C: EHLO not(a)domain
		S: 501 A domain or an address literal is needed
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
	`)
}

func TestHelloNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"client.example.org": true, "client": true, "client.": true, "my_pc": true, "192.0.2.1": true,
		"[192.0.2.1]": true, "[IPv6:2001:db8::1]": true,
		"a b": false, "a(b)": false, "a;b": false, "<a>": false, `a"b`: false, "a@b": false, "[]": false, "[a": false,
		strings.Repeat("a", 256): false,
	} {
		want := "S: 250 mx.example.com"
		if !ok {
			want = "S: 501 A domain or an address literal is needed"
		}
		play(t, &smtp.Server{Receiver: new(inbox)}, "S: 220 mx.example.com ESMTP\nC: HELO "+name+"\n"+want)
	}
}

// RFC 7504 section 3.
func TestHostWithoutMail(t *testing.T) {
	play(t, new(smtp.Server), `
		S: 521 mx.example.com does not accept mail
		C: EHLO client.example.org
		S: 521 This host does not accept mail
		C: MAIL FROM:<a@example.org>
		S: 521 5.3.2 This host does not accept mail
		C: QUIT
		S: 221 2.0.0 mx.example.com closing the connection
		S!
	`)
}
