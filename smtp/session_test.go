package smtp_test

import (
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

func TestTypicalSession(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, `
		S: 220 mx.example.com ESMTP
		C: EHLO bar.com
		S: 250-mx.example.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-SMTPUTF8
		S: 250 ENHANCEDSTATUSCODES
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
		S: 221 2.0.0 mx.example.com closing the connection
		S!
	`)
	m := b.only(t)
	if got := m.content(t); got != "Blah blah blah...\r\n.etc. etc. etc.\r\n" {
		t.Errorf("content %q", got)
	}
}
