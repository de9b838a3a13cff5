package pop3_test

import (
	"context"
	"encoding/base64"
	"testing"

	gosasl "github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/sasl"
)

// scramClient is xdg-go/scram behind go-sasl's interface.
type scramClient struct{ *scram.ClientConversation }

func newScramClient(t *testing.T, password string) gosasl.Client {
	c, err := scram.SHA256.NewClient("alice", password, "")
	if err != nil {
		t.Fatal(err)
	}
	return scramClient{c.NewConversation()}
}

func (c scramClient) Start() (string, []byte, error) {
	first, err := c.Step("")
	return "SCRAM-SHA-256", []byte(first), err
}

func (c scramClient) Next(challenge []byte) ([]byte, error) {
	if c.Done() {
		return nil, gosasl.ErrUnexpectedServerChallenge
	}
	response, err := c.Step(string(challenge))
	return []byte(response), err
}

// TestMechanisms logs in by every mechanism with a client of the other side, with
// and without an initial response.
func TestMechanisms(t *testing.T) {
	r := start(t, func(s *pop3.Server) { s.Auth = keyStore{password} })
	r.dial().talk(`
		C: CAPA
		` + capabilities + `
		S: USER
		S: SASL SCRAM-SHA-256 PLAIN LOGIN
		S: .`)
	for name, newClient := range map[string]func(t *testing.T, password string) gosasl.Client{
		"PLAIN":         func(_ *testing.T, p string) gosasl.Client { return gosasl.NewPlainClient("", "alice", p) },
		"LOGIN":         func(_ *testing.T, p string) gosasl.Client { return gosasl.NewLoginClient("alice", p) },
		"SCRAM-SHA-256": newScramClient,
	} {
		for _, initial := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				c := r.dial()
				c.authenticate(newClient(t, "open sesame"), initial)
				c.talk("S: +OK ...\nC: QUIT\nS: +OK ...\nS: EOF")
				c = r.dial()
				c.authenticate(newClient(t, "wrong"), initial)
				c.talk("S: -ERR [AUTH] Authentication failed\nC: QUIT\nS: +OK ...")
			})
		}
	}
}

// authenticate runs an exchange up to the server's last word.
func (c *client) authenticate(x gosasl.Client, initial bool) {
	c.t.Helper()
	name, response, err := x.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	if initial {
		c.send("AUTH " + name + " " + base64.StdEncoding.EncodeToString(response) + "\r\n")
	} else {
		c.send("AUTH " + name + "\r\n")
		c.expect("+ ...")
		c.send(base64.StdEncoding.EncodeToString(response) + "\r\n")
	}
	for {
		next, err := c.r.Peek(2)
		if err != nil {
			c.t.Fatal(err)
		}
		if string(next) != "+ " {
			return
		}
		challenge, err := base64.StdEncoding.DecodeString(c.line()[2:])
		if err != nil {
			c.t.Fatal(err)
		}
		if response, err = x.Next(challenge); err != nil {
			c.t.Fatal(err)
		}
		c.send(base64.StdEncoding.EncodeToString(response) + "\r\n")
	}
}

// custom is a Mechanism of an application.
type custom struct {
	user string
	err  error
}

func (c custom) Next([]byte) (challenge []byte, done bool, err error) {
	return nil, c.err == nil, c.err
}
func (c custom) User() string { return c.user }

// TestCustomMechanisms are offered instead of the Authenticator's.
func TestCustomMechanisms(t *testing.T) {
	mechanism := func(name string, x custom) sasl.Mechanism {
		return sasl.Mechanism{Name: name, New: func(context.Context, *sasl.Conn) sasl.Exchange { return x }}
	}
	r := start(t, func(s *pop3.Server) {
		s.AllowInsecureAuth = false
		s.Mechanisms = []sasl.Mechanism{
			mechanism("NOBODY", custom{}),
			mechanism("SERVER-FIRST", custom{err: gosasl.ErrUnexpectedClientResponse}),
			mechanism("ALICE", custom{user: "alice"}),
			{Name: "SHOWS-SECRETS", Plaintext: true},
		}
	})
	r.dial().talk(`
		C: CAPA
		` + capabilities + `
		S: SASL NOBODY SERVER-FIRST ALICE
		S: .
		C: AUTH PLAIN =
		S: -ERR Unknown mechanism
		C: AUTH SHOWS-SECRETS
		S: -ERR Not permitted without TLS
		C: AUTH NOBODY
		S: -ERR [AUTH] Authentication failed
		C: AUTH SERVER-FIRST =
		S: -ERR Malformed authentication
		C: AUTH ALICE
		S: +OK ...`)
}
