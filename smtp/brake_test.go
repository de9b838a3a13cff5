package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// A Brake counts over connections, and what it says is temporary.
func TestBrakedAuth(t *testing.T) {
	l := startServer(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS(), Auth: &sasl.Brake{Auth: users{}, Failures: 3}})
	good, bad := b64("\x00user\x00secret"), b64("\x00user\x00wrong")
	for range 3 {
		connectTo(t, l).play(t, tlsFirst+"C: AUTH PLAIN "+bad+"\nS: 535 5.7.8 Authentication credentials invalid")
	}
	connectTo(t, l).play(t, tlsFirst+strings.Repeat("C: AUTH PLAIN "+good+"\nS: 454 4.7.0 Too many failed logins from your network, try again later\n", 2))
	far, err := l.DialFrom(t.Context(), prefixes("192.0.2.1/32")[0].Addr())
	if err != nil {
		t.Fatal(err)
	}
	newWire(t, far).play(t, tlsFirst+"C: AUTH PLAIN "+good+"\nS: 235 2.7.0 Authentication successful")
}
