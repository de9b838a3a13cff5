package smtp_test

import (
	"testing"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts/smtp"
)

func TestRelaySmarthost(t *testing.T) {
	auth := smtp.PasswordAuth("me", "secret")
	tests := []struct {
		name, script string
		auth         func([]string) (gosasl.Client, error)
		want         string
	}{
		{"all mail, whatever the domain", ready() + `
			C: MAIL FROM:<a@example.org>
			S: 250 ok
			C: RCPT TO:<b@example.com>
			S: 250 ok
			C: RCPT TO:<c@example.net>
			S: 550 5.1.2 no
			C: DATA
			S: 354 go
			C: hello
			C: .
			S: 250 ok
			C: QUIT
			S: 221 bye`, nil, "ok, 550 5.1.2"},
		{"a wrong password bounces no mail", ready("AUTH PLAIN") + "C: AUTH PLAIN ...\nS: 535 5.7.8 no\nC!", auth, "451 4.3.5, 451 4.3.5"},
		{"nor does a refusal of us", "S: 554 5.7.1 who are you\nC!", nil, "451 4.3.5, 451 4.3.5"},
		{"no AUTH is no reason to go without", ready() + "C!", auth, "451 4.7.0, 451 4.7.0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := newInternet(t, "")
			i.host("smart.example:587", test.script)
			r := i.relay()
			r.Smarthost, r.Dialer.Auth = "smart.example:587", test.auth
			env := letter("b@example.com", "c@example.net")
			err := r.Deliver(t.Context(), env, text("hello\r\n"))
			if got := codes(err, 2); got != test.want {
				t.Errorf("got %s, want %s (%v)", got, test.want, err)
			}
			i.wait()
		})
	}
}

// The smarthost's password is for nobody else.
func TestRelayKeepsPassword(t *testing.T) {
	i := newInternet(t, "example.com A 192.0.2.1")
	i.host("192.0.2.1", ready("AUTH PLAIN")+relayedTo)
	r := i.relay()
	r.Dialer.Auth = smtp.PasswordAuth("me", "secret")
	if err := r.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n")); err != nil {
		t.Error(err)
	}
	i.wait()
}
