package smtp_test

import (
	"context"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestRcptArguments(t *testing.T) {
	const ok = "250 2.1.5 OK"
	tests := []struct{ arg, reply string }{
		{`TO:<b@example.com>`, ok},
		{`To: <b@example.com>`, ok},
		{`TO:<postmaster>`, ok},
		{`TO:<POSTMASTER>`, ok},
		{`TO:<Postmaster@example.com>`, ok},
		{`TO:<"b c"@example.com>`, ok},
		{`TO:<@one.example:b@example.com>`, ok},
		{`TO:<busy@example.com>`, "450 4.2.1 Mailbox busy"},
		{`TO:<unknown@example.com>`, "550 5.1.1 No such user"},
		{`TO:<>`, "501 5.1.3 Malformed recipient address"},
		{`TO:<b>`, "501 5.1.3 Malformed recipient address"},
		{`TO:<b@>`, "501 5.1.3 Malformed recipient address"},
		{`TO:<@example.com>`, "501 5.1.3 Malformed recipient address"},
		{`TO:<@one.example:postmaster>`, "501 5.1.3 Malformed recipient address"},
		{`TO:b@example.com`, "501 5.5.4 Syntax: ..."},
		{`FROM:<b@example.com>`, "501 5.5.4 Syntax: ..."},
		{`TO:<b@example.com> NOTIFY=NEVER`, "555 5.5.4 Unknown parameter"},
		{`TO:<b@example.com> SIZE=1`, "555 5.5.4 Unknown parameter"},
		{`TO:<b@example.com> MT-PRIORITY=9`, "555 5.5.4 Unknown parameter"},
		{`TO:<b@example.com> BY=1;R`, "555 5.5.4 Unknown parameter"},
		{`TO:<b@example.com> a=b=c`, "501 5.5.4 Malformed parameter"},
		{`TO:<ü@example.com>`, "553 5.6.7 A non-ASCII address needs SMTPUTF8"},
	}
	for _, test := range tests {
		t.Run(test.arg, func(t *testing.T) {
			script := `
				G: EHLO
				C: MAIL FROM:<a@example.org>
				S: 250 2.1.0 OK
				C: RCPT ` + test.arg + `
				S: ` + test.reply + `
				C: DATA
			`
			if test.reply == ok {
				script += "S: 354 ..."
			} else {
				script += "S: 554 5.5.1 No valid recipients"
			}
			play(t, &smtp.Server{Receiver: new(inbox)}, script)
		})
	}
}

func TestPostmasterWithoutDomain(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, `
		G: EHLO
		C: MAIL FROM:<>
		S: 250 2.1.0 OK
		C: RCPT TO:<pOsTmAsTeR>
		S: 250 2.1.5 OK
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	if to := b.only(t).env.To; len(to) != 1 || to[0].Addr != "postmaster" {
		t.Errorf("to %v", to)
	}
}

func TestFilterRewritesRecipient(t *testing.T) {
	b := new(inbox)
	alias := mailparts.OnRcpt(func(_ context.Context, env *mailparts.Envelope, to *mailparts.Rcpt) error {
		to.Addr = "real@example.net"
		return nil
	})
	play(t, &smtp.Server{Receiver: mailparts.Chain(b, alias)}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<alias@example.com>
		S: 250 2.1.5 OK
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	m := b.only(t)
	if m.env.To[0].Addr != "real@example.net" {
		t.Errorf("to %v", m.env.To)
	}
	wantReceived(t, m, "for <alias@example.com>") // what is inside is no one's business
}

func TestTooManyRecipients(t *testing.T) {
	b := new(inbox)
	// More than MaxErrors of them: the peer must be able to send to the first ones now
	// and to the rest in another transaction (RFC 5321 section 4.5.3.1.10).
	play(t, &smtp.Server{Receiver: b, MaxRecipients: 2, MaxErrors: 2}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nRCPT TO:<d@example.com>\r\nRCPT TO:<e@example.com>
		S: 250 2.1.5 OK
		S: 250 2.1.5 OK
		S: 452 4.5.3 Too many recipients
		S: 452 4.5.3 Too many recipients
		S: 452 4.5.3 Too many recipients
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	if to := b.only(t).env.To; len(to) != 2 {
		t.Errorf("to %v", to)
	}
}
