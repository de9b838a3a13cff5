package pop3_test

import (
	"testing"

	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/sasl"
)

// TestBrake guesses over many connections, by PASS and by AUTH.
func TestBrake(t *testing.T) {
	r := start(t, func(s *pop3.Server) { s.Auth = &sasl.Brake{Auth: s.Auth, Failures: 2} })
	c := r.dial()
	c.talk("C: USER alice\nS: +OK ...\nC: PASS wrong\nS: -ERR [AUTH] Authentication failed")
	c = r.dial()
	c.talk("C: AUTH PLAIN AGFsaWNlAHdyb25n\nS: -ERR [AUTH] Authentication failed")
	c = r.dial()
	c.talk(`
		C: USER alice
		S: +OK ...
		C: PASS open sesame
		S: -ERR [SYS/TEMP] Too many failed logins from your network, try again later
		C: AUTH PLAIN AGFsaWNlAG9wZW4gc2VzYW1l
		S: -ERR [SYS/TEMP] Too many failed logins from your network, try again later`)
}
