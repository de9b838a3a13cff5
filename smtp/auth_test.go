package smtp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// users is an Authenticator who knows "user" with the password "secret".
type users struct{}

func (users) Authenticate(_ context.Context, c *sasl.Credentials) (string, error) {
	switch {
	case c.User == "broken":
		return "", errors.New("database is down, see host db1")
	case c.User == "weak":
		return "", fmt.Errorf("policy: %w", &mailparts.Error{Code: 534, Status: "5.7.9", Message: "Use a stronger mechanism"})
	case c.User == "panic":
		panic("oops")
	case c.User == "user" && c.Password == "secret":
		return "user@example.com", nil
	}
	return "", sasl.ErrDenied
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// tlsFirst begins the scripts of sessions under TLS.
const tlsFirst = `
	G: EHLO
	C: STARTTLS
	S: 220 2.0.0 Ready to start TLS
	T:
	G: EHLO
`

func TestAuthDialogues(t *testing.T) {
	good, bad := b64("\x00user\x00secret"), b64("\x00user\x00wrong")
	tests := []struct{ name, script string }{
		{"PLAIN with initial response", `
			C: AUTH PLAIN ` + good + `
			S: 235 2.7.0 Authentication successful
			C: AUTH PLAIN ` + good + `
			S: 503 5.5.1 Authenticated already`},
		{"PLAIN without", `
			C: auth plain
			S: 334 
			C: ` + good + `
			S: 235 2.7.0 Authentication successful`},
		{"LOGIN", `
			C: AUTH LOGIN
			S: 334 ` + b64("Username:") + `
			C: ` + b64("user") + `
			S: 334 ` + b64("Password:") + `
			C: ` + b64("secret") + `
			S: 235 2.7.0 Authentication successful`},
		{"LOGIN with initial response", `
			C: AUTH LOGIN ` + b64("user") + `
			S: 334 ` + b64("Password:") + `
			C: ` + b64("secret") + `
			S: 235 2.7.0 Authentication successful`},
		{"denied, then again", `
			C: AUTH PLAIN ` + bad + `
			S: 535 5.7.8 Authentication credentials invalid
			C: AUTH PLAIN ` + good + `
			S: 235 2.7.0 Authentication successful`},
		{"broken back end", `
			C: AUTH PLAIN ` + b64("\x00broken\x00secret") + `
			S: 454 4.7.0 Temporary authentication failure`},
		{"policy", `
			C: AUTH PLAIN ` + b64("\x00weak\x00secret") + `
			S: 534 5.7.9 Use a stronger mechanism`},
		{"panic", `
			C: AUTH PLAIN ` + b64("\x00panic\x00secret") + `
			S: 421 4.3.0 Internal error, closing the connection
			S!`},
		{"empty initial response", `
			C: AUTH PLAIN =
			S: 501 5.5.2 Not a message of this mechanism`},
		{"empty response", `
			C: AUTH PLAIN
			S: 334 
			C:
			S: 501 5.5.2 Not a message of this mechanism
			C: NOOP
			S: 250 2.0.0 OK`},
		{"malformed", `
			C: AUTH PLAIN ` + b64("user") + `
			S: 501 5.5.2 Not a message of this mechanism`},
		{"cancelled", `
			C: AUTH PLAIN
			S: 334 
			C: *
			S: 501 5.7.0 Authentication cancelled
			C: NOOP
			S: 250 2.0.0 OK`},
		{"no base64", `
			C: AUTH PLAIN !!!!
			S: 501 5.5.2 Invalid base64
			C: AUTH PLAIN
			S: 334 
			C: AAA=BBB
			S: 501 5.5.2 Invalid base64
			C: AUTH PLAIN =AAA
			S: 501 5.5.2 Invalid base64
			C: AUTH PLAIN AHVzZXIAc2VjcmV0 x
			S: 501 5.5.2 Invalid base64`},
		{"bare LF", `
			C: AUTH PLAIN
			S: 334 
			C: AHVz\nZXIAc2VjcmV0
			S: 501 5.5.2 Invalid base64
			C: NOOP
			S: 250 2.0.0 OK`},
		{"unknown mechanism", `
			C: AUTH FOO
			S: 504 5.5.4 This mechanism is not offered`},
		{"no mechanism", `
			C: AUTH
			S: 501 5.5.4 An argument is missing`},
		{"in a transaction", `
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: AUTH PLAIN ` + good + `
			S: 503 5.5.1 AUTH is not permitted during a mail transaction
			C: RCPT TO:<b@example.com>
			S: 250 2.1.5 OK`},
		{"as long as may be", `
			C: AUTH PLAIN
			S: 334 
			C: ` + strings.Repeat("A", 12288) + `
			S: 501 5.5.2 Not a message of this mechanism`},
		{"initial response as long as may be", `
			C: AUTH PLAIN ` + strings.Repeat("A", 12288) + `
			S: 501 5.5.2 Not a message of this mechanism`},
		{"too long", `
			C: AUTH PLAIN
			S: 334 
			C: ` + strings.Repeat("A", 12400) + `
			S: 500 5.5.6 Authentication exchange line is too long
			C: NOOP
			S: 250 2.0.0 OK`},
		{"initial response too long", `
			C: AUTH PLAIN ` + strings.Repeat("A", 12400) + `
			S: 500 5.5.6 Authentication exchange line is too long
			C: auth plain ` + strings.Repeat("A", 40000) + `
			S: 500 5.5.6 Authentication exchange line is too long
			C: NOOP
			S: 250 2.0.0 OK`},
		{"pipelined after the last message", `
			C: AUTH PLAIN ` + good + `\r\nNOOP
			S: 235 2.7.0 Authentication successful
			S: 250 2.0.0 OK`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			play(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{}}, tlsFirst+test.script)
		})
	}
}

func TestAuthIsOfferedUnderTLSOnly(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{}}, `
		S: 220 mx.example.com ESMTP
		C: AUTH PLAIN
		S: 503 5.5.1 An extension needs EHLO first
		C: EHLO client.example.org
		S: 250-mx.example.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-STARTTLS
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: AUTH PLAIN `+b64("\x00user\x00secret")+`
		S: 538 5.7.11 This mechanism needs TLS
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		T:
		C: AUTH PLAIN
		S: 503 5.5.1 An extension needs EHLO first
		C: EHLO client.example.org
		S: 250-mx.example.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-AUTH PLAIN LOGIN
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: AUTH PLAIN `+b64("\x00user\x00secret")+`
		S: 235 2.7.0 Authentication successful
		C: EHLO client.example.org
		S: 250-mx.example.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: AUTH PLAIN
		S: 503 5.5.1 Authenticated already
	`)
}

// challenges is a mechanism that shows no secret and in which the server speaks first.
type challenges struct{ said bool }

func (c *challenges) Next(response []byte) ([]byte, bool, error) {
	switch {
	case !c.said && response != nil:
		return nil, false, gosasl.ErrUnexpectedClientResponse
	case !c.said:
		c.said = true
		return []byte("<nonce>"), false, nil
	}
	return nil, true, nil
}

func (c *challenges) User() string { return "someone" }

func TestMechanismInPlaintextAndServerFirst(t *testing.T) {
	m := sasl.Mechanism{Name: "CHALLENGE", New: func(context.Context, *sasl.Conn) sasl.Exchange { return new(challenges) }}
	play(t, &smtp.Server{Receiver: new(inbox), Mechanisms: []sasl.Mechanism{m}}, `
		S: 220 mx.example.com ESMTP
		C: EHLO client.example.org
		S: 250-mx.example.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-AUTH CHALLENGE
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: AUTH CHALLENGE AAAA
		S: 501 5.7.0 This mechanism takes no initial response
		C: AUTH CHALLENGE
		S: 334 `+b64("<nonce>")+`
		C: AAAA
		S: 235 2.7.0 Authentication successful
	`)
}

func TestSubmission(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b, TLSConfig: testTLS(), Auth: users{}, RequireAuth: true, RequireTLS: true}, `
		G: EHLO
		C: MAIL FROM:<a@example.com>
		S: 530 5.7.0 Must issue a STARTTLS command first
		C: AUTH PLAIN
		S: 530 5.7.0 Must issue a STARTTLS command first
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		T:
		G: EHLO
		C: MAIL FROM:<a@example.com>
		S: 530 5.7.0 Authentication required
		C: AUTH PLAIN `+b64("\x00user\x00secret")+`
		S: 235 2.7.0 Authentication successful
		C: MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	p := b.only(t).env.Peer
	if p.User != "user@example.com" || p.TLS == nil || p.Protocol != "ESMTPSA" {
		t.Errorf("peer %+v", p)
	}
}

func TestAuthFailuresCount(t *testing.T) {
	attempt := "C: AUTH PLAIN " + b64("\x00user\x00wrong") + "\nS: 535 5.7.8 Authentication credentials invalid\n"
	play(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{}, MaxErrors: 3}, tlsFirst+
		strings.Repeat(attempt, 3)+`
		S: 421 4.7.0 Too many errors, closing the connection
		S!
	`)
}

func TestNoSecretIsLogged(t *testing.T) {
	var log strings.Builder
	secret := b64("\x00user\x00wrong")
	s := &smtp.Server{
		Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{},
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	play(t, s, tlsFirst+`
		C: AUTH PLAIN `+secret+`
		S: 535 5.7.8 Authentication credentials invalid
		C: AUTH PLAIN !`+secret+`
		S: 501 5.5.2 Invalid base64
		# a client that is out of step
		C: `+secret+`
		S: 500 5.5.2 Unknown command
		C: QUIT
		S: 221 2.0.0 mx.example.com closing the connection
		S!
	`)
	s.Close()
	if got := log.String(); strings.Contains(got, secret) || strings.Contains(got, "wrong") || !strings.Contains(got, "AUTH") {
		t.Errorf("log: %s", got)
	}
}

// plaintextMechanisms are those of users without the need for TLS.
func plaintextMechanisms() []sasl.Mechanism {
	ms := sasl.Mechanisms(users{})
	for i := range ms {
		ms[i].Plaintext = false
	}
	return ms
}

func TestAllowInsecureAuth(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), Auth: users{}, AllowInsecureAuth: true}, `
		G: EHLO
		C: AUTH PLAIN AHVzZXIAc2VjcmV0
		S: 235 2.7.0 Authentication successful
	`)
}
