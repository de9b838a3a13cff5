package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

func TestAuth(t *testing.T) {
	password := smtp.PasswordAuth("tim", "tanstaaftanstaaf")
	long := smtp.PasswordAuth("tim", strings.Repeat("x", 400))
	const plain = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"
	start := "C: STARTTLS\nS: 220 go\nT:\nC: EHLO client.example\nS: 250-mx.example.com\nS: 250 "
	tests := []dialTest{{
		name:    "PLAIN with an initial response",
		scripts: []string{ready("AUTH LOGIN PLAIN") + "C: AUTH PLAIN " + plain + "\nS: 235 2.7.0 welcome"},
		dialer:  smtp.Dialer{Auth: password},
		want:    "ok",
	}, {
		name: "LOGIN",
		scripts: []string{ready("AUTH LOGIN CRAM-MD5") + `
			C: AUTH LOGIN dGlt
			S: 334 UGFzc3dvcmQ6
			C: dGFuc3RhYWZ0YW5zdGFhZg==
			S: 235 welcome`},
		dialer: smtp.Dialer{Auth: password},
		want:   "ok",
	}, {
		name: "an initial response that is too long for a command comes after it",
		scripts: []string{ready("AUTH PLAIN") + `
			C: AUTH PLAIN
			S: 334
			C: AHRpbQB4...
			S: 235 welcome`},
		dialer: smtp.Dialer{Auth: long},
		want:   "ok",
	}, {
		name:    "an empty initial response",
		scripts: []string{ready("AUTH EXTERNAL") + "C: AUTH EXTERNAL =\nS: 235 ok"},
		dialer: smtp.Dialer{Auth: func([]string) (gosasl.Client, error) {
			return gosasl.NewExternalClient(""), nil
		}},
		want: "ok",
	}, {
		name:    "denied",
		scripts: []string{ready("AUTH PLAIN") + "C: AUTH PLAIN " + plain + "\nS: 535 5.7.8 no\nC!"},
		dialer:  smtp.Dialer{Auth: password},
		want:    "535 5.7.8",
	}, {
		name:    "no AUTH offered",
		scripts: []string{ready() + "C!"},
		dialer:  smtp.Dialer{Auth: password},
		want:    "451 4.7.0",
	}, {
		name:    "no password in the clear to another machine, TLS stripped or not",
		scripts: []string{ready("AUTH PLAIN LOGIN") + "C!"},
		dialer:  smtp.Dialer{Auth: password}, far: true,
		want: "451 4.7.4",
	}, {
		name:    "nor where TLS is switched off",
		scripts: []string{ready("AUTH PLAIN LOGIN") + "C!"},
		dialer:  smtp.Dialer{Auth: password, TLS: smtp.TLSNone}, far: true,
		want: "451 4.7.0",
	}, {
		name:    "nor to a stranger",
		scripts: []string{ready("STARTTLS") + "C: STARTTLS\nS: 220 go\nT?"},
		dialer:  smtp.Dialer{Auth: password}, far: true,
		want: "451 4.7.5",
	}, {
		name:    "under TLS",
		scripts: []string{ready("STARTTLS") + start + "AUTH PLAIN\nC: AUTH PLAIN " + plain + "\nS: 235 ok"},
		dialer:  smtp.Dialer{Auth: password, TLSConfig: &tls.Config{RootCAs: testCA()}}, far: true,
		want: "ok", secured: "TLS 1.3",
	}, {
		name:    "what was offered before TLS is forgotten",
		scripts: []string{ready("STARTTLS", "AUTH PLAIN") + start + "AUTH CRAM-MD5\nC!"},
		dialer:  smtp.Dialer{Auth: password, TLSConfig: &tls.Config{RootCAs: testCA()}}, far: true,
		want: "451 4.7.0",
	}, {
		name: "a challenge that is no base64 cancels",
		scripts: []string{ready("AUTH LOGIN") + `
			C: AUTH LOGIN dGlt
			S: 334 %%%
			C: *
			S: 501 5.7.0 cancelled
			C!`},
		dialer: smtp.Dialer{Auth: password},
		want:   "451 4.7.0",
	}, {
		name: "a server that claims to be done before SCRAM has proved it",
		scripts: []string{ready("AUTH SCRAM-SHA-256 PLAIN") + `
			C: AUTH SCRAM-SHA-256 ...
			S: 235 2.7.0 welcome
			C!`},
		dialer: smtp.Dialer{Auth: password},
		want:   "451 4.7.0",
	}, {
		name:    "a challenge without an end",
		scripts: []string{ready("AUTH X") + "C: AUTH X\n" + strings.Repeat("S: 334\nC:\n", 16) + "S: 334\nC!"},
		dialer:  smtp.Dialer{Auth: func([]string) (gosasl.Client, error) { return patient{}, nil }},
		want:    "451 4.5.0",
	}}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

// patient answers every challenge.
type patient struct{}

func (patient) Start() (string, []byte, error)           { return "X", nil, nil }
func (patient) Next([]byte) (response []byte, err error) { return []byte{}, nil }

// A Dialer's Auth sees what is safe on the connection.
func TestAuthMechanisms(t *testing.T) {
	enough := errors.New("enough")
	for name, test := range map[string]struct {
		script string
		far    bool
		want   string
	}{
		"loopback":  {ready("AUTH PLAIN LOGIN SCRAM-SHA-256"), false, "PLAIN LOGIN SCRAM-SHA-256"},
		"plaintext": {ready("AUTH plain LOGIN SCRAM-SHA-256 XOAUTH2 OAUTHBEARER"), true, "SCRAM-SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			run := dialTest{scripts: []string{test.script}, far: test.far, want: "451 4.7.0"}
			run.dialer = smtp.Dialer{TLS: smtp.TLSNone, Auth: func(mechanisms []string) (gosasl.Client, error) {
				got = slices.Clone(mechanisms)
				return nil, enough
			}}
			run.run(t)
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("got %s, want %s", s, test.want)
			}
		})
	}
}

// SCRAM with the Server at the other end.
func TestAuthSCRAM(t *testing.T) {
	for _, test := range []struct {
		password string
		users    scramUsers
		want     string
	}{
		{"pencil", scramUsers{4096}, "ok"},
		{"crayon", scramUsers{4096}, "535 5.7.8"},
		{"pencil", scramUsers{2_000_000_000}, "451 4.7.0"}, // hours of work for us
	} {
		l := startServer(t, &smtp.Server{Auth: test.users, Receiver: mailparts.AsReceiver(nil)})
		d := smtp.Dialer{NetDial: l.Dial, Auth: smtp.PasswordAuth("user", test.password)}
		c, err := d.Dial(t.Context(), fakeAddr)
		if got := codes(err, 1); got != test.want {
			t.Errorf("%s, %d iterations: got %v, want %s", test.password, test.users.iterations, err, test.want)
		}
		if err == nil {
			c.Close()
		}
	}
}

// scramUsers are one: user, whose password is pencil.
type scramUsers struct{ iterations int }

func (u scramUsers) Keys(context.Context, string, string) (sasl.Keys, error) {
	c, err := scram.SHA256.NewClient("user", "pencil", "")
	if err != nil {
		return sasl.Keys{}, err
	}
	s, err := c.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
	return sasl.Keys{Salt: []byte("salt"), Iterations: u.iterations, StoredKey: s.StoredKey, ServerKey: s.ServerKey}, err
}

func (scramUsers) Authorize(_ context.Context, c *sasl.Credentials) (string, error) {
	return c.User, nil
}

func (scramUsers) Authenticate(context.Context, *sasl.Credentials) (string, error) {
	return "", sasl.ErrDenied
}
