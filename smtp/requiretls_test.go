package smtp_test

import (
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// RFC 8689 section 2: offered, and taken, under TLS only.
func TestRequireTLSExtension(t *testing.T) {
	b := new(inbox)
	c := dialServer(t, &smtp.Server{Receiver: b, TLSConfig: testTLS(), Extensions: []string{"REQUIRETLS"}})
	c.play(t, "S: 220 ...")
	if _, ok := c.offered(t, "EHLO")["REQUIRETLS"]; ok {
		t.Error("offered in plaintext")
	}
	c.play(t, `
		C: MAIL FROM:<a@example.org> REQUIRETLS
		S: 555 5.5.4 Unknown parameter
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		T:
	`)
	if params, ok := c.offered(t, "EHLO")["REQUIRETLS"]; !ok || params != "" {
		t.Errorf("under TLS EHLO shows REQUIRETLS %q, %v", params, ok)
	}
	c.play(t, `
		C: MAIL FROM:<a@example.org> REQUIRETLS=yes
		S: 501 5.5.4 Malformed parameter
		C: MAIL FROM:<a@example.org> RequireTLS
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA\r\n.
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	if !b.only(t).env.RequireTLS {
		t.Error("REQUIRETLS is lost")
	}
}
