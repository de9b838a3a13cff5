package pop3_test

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/sasl"
)

func TestUserPass(t *testing.T) {
	for _, test := range []struct{ name, dialogue string }{
		{"good", `
			C: USER alice
			S: +OK Send PASS
			C: PASS open sesame
			S: +OK The maildrop has 0 messages (0 octets)`},
		{"in one batch", `
			C: USER alice
			C: PASS open sesame
			C: STAT
			S: +OK Send PASS
			S: +OK The maildrop has 0 messages (0 octets)
			S: +OK 0 0`},
		{"a wrong password and an unknown user look alike", `
			C: USER alice
			S: +OK Send PASS
			C: PASS open says me
			S: -ERR [AUTH] Authentication failed
			C: USER mallory
			S: +OK Send PASS
			C: PASS open sesame
			S: -ERR [AUTH] Authentication failed
			C: USER alice
			S: +OK Send PASS
			C: PASS open sesame
			S: +OK ...`},
		{"spaces belong to the password", `
			C: USER alice
			S: +OK Send PASS
			C: PASS open sesame 
			S: -ERR [AUTH] Authentication failed
			C: USER alice
			S: +OK Send PASS
			C: PASS  open sesame
			S: -ERR [AUTH] Authentication failed`},
		{"PASS without USER", `
			C: PASS open sesame
			S: -ERR Send USER first`},
		{"PASS not immediately after USER", `
			C: USER alice
			S: +OK Send PASS
			C: XYZZY
			S: -ERR Unknown command
			C: PASS open sesame
			S: -ERR Send USER first`},
		{"PASS twice", `
			C: USER alice
			S: +OK Send PASS
			C: PASS wrong
			S: -ERR [AUTH] Authentication failed
			C: PASS open sesame
			S: -ERR Send USER first`},
		{"arguments", `
			C: USER
			S: -ERR Wrong number of arguments
			C: USER alice bob
			S: -ERR Wrong number of arguments
			C: USER alice
			S: +OK Send PASS
			C: PASS
			S: -ERR Wrong number of arguments
			C: PASS open sesame
			S: -ERR Send USER first`},
		{"three failures are enough", `
			C: USER alice
			C: PASS 1
			C: USER alice
			C: PASS 2
			C: USER alice
			C: PASS 3
			C: USER alice
			C: PASS open sesame
			S: +OK Send PASS
			S: -ERR [AUTH] Authentication failed
			S: +OK Send PASS
			S: -ERR [AUTH] Authentication failed
			S: +OK Send PASS
			S: -ERR [AUTH] Authentication failed; too many errors, closing the connection
			S: EOF`},
	} {
		t.Run(test.name, func(t *testing.T) {
			start(t, nil).dial().talk(test.dialogue)
		})
	}
}

func TestAuthCommand(t *testing.T) {
	// alice with her password, with another, and a message that is not PLAIN's
	const good, bad, malformed = "AGFsaWNlAG9wZW4gc2VzYW1l", "AGFsaWNlAHdyb25n", "YWxpY2U="
	for _, test := range []struct{ name, dialogue string }{
		{"initial response", `
			C: AUTH PLAIN ` + good + `
			S: +OK The maildrop has 0 messages (0 octets)
			C: STAT
			S: +OK 0 0
			C: AUTH PLAIN ` + good + `
			S: -ERR Not permitted in this state`},
		{"no initial response, mechanism in lower case", `
			C: auth plain
			S: + 
			C: ` + good + `
			S: +OK The maildrop has 0 messages (0 octets)`},
		{"pipelined, which RFC 5034 does not forbid", `
			C: AUTH PLAIN
			C: ` + good + `
			C: STAT
			S: + 
			S: +OK The maildrop has 0 messages (0 octets)
			S: +OK 0 0`},
		{"the client cancels", `
			C: AUTH PLAIN
			S: + 
			C: *
			S: -ERR Authentication cancelled
			C: AUTH PLAIN ` + good + `
			S: +OK ...`},
		{"wrong password", `
			C: AUTH PLAIN ` + bad + `
			S: -ERR [AUTH] Authentication failed
			C: AUTH PLAIN ` + good + `
			S: +OK ...`},
		{"malformed messages", `
			C: AUTH PLAIN ` + malformed + `
			S: -ERR Malformed authentication
			C: AUTH PLAIN =
			S: -ERR Malformed authentication`},
		{"base64 that is none", `
			C: AUTH PLAIN =AAA
			S: -ERR Malformed authentication
			C: AUTH PLAIN
			S: + 
			C: AAA=BBB=
			S: -ERR Malformed authentication`},
		{"unpadded base64", `
			C: AUTH PLAIN
			S: + 
			C: YWxpY2U
			S: -ERR Malformed authentication`},
		{"mechanism", `
			C: AUTH
			S: -ERR Wrong number of arguments
			C: AUTH KERBEROS_V4
			S: -ERR Unknown mechanism
			C: AUTH PLAIN ` + good + ` more
			S: -ERR Wrong number of arguments`},
		{"an initial response over the limit of a command", `
			C: AUTH PLAIN ` + strings.Repeat("QUFB", 1000) + `
			S: -ERR Malformed authentication
			C: AUTH PLAIN ` + strings.Repeat("QUFB", 4000) + `
			S: -ERR Line too long`},
		{"a response too long", `
			C: AUTH PLAIN
			S: + 
			C: ` + strings.Repeat("QUFB", 4000) + `
			S: -ERR Line too long
			C: AUTH PLAIN ` + good + `
			S: +OK ...`},
		{"failures of both kinds count together", `
			C: AUTH PLAIN ` + bad + `
			S: -ERR [AUTH] Authentication failed
			C: USER alice
			S: +OK Send PASS
			C: PASS wrong
			S: -ERR [AUTH] Authentication failed
			C: AUTH PLAIN ` + bad + `
			S: -ERR [AUTH] Authentication failed; too many errors, closing the connection
			S: EOF`},
	} {
		t.Run(test.name, func(t *testing.T) {
			start(t, nil).dial().talk(test.dialogue)
		})
	}
}

// TestLFInResponse is one error, and what is behind the LF is not run.
func TestLFInResponse(t *testing.T) {
	c := start(t, nil).dial()
	c.talk("C: AUTH PLAIN\nS: + ")
	c.send("AGFsaWNl\nUSER alice\r\n")
	c.talk(`
		S: -ERR Lines end with CRLF, and hold no CR or LF
		C: PASS open sesame
		S: -ERR Send USER first`)
}

// keyStore is password with alice's SCRAM keys.
type keyStore struct{ sasl.Authenticator }

func (keyStore) Keys(_ context.Context, _, user string) (sasl.Keys, error) {
	salt := []byte("0123456789abcdef")
	salted, err := pbkdf2.Key(sha256.New, "open sesame", salt, 4096, sha256.Size)
	if err != nil {
		return sasl.Keys{}, err
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	return sasl.Keys{Salt: salt, Iterations: 4096, StoredKey: stored[:], ServerKey: mac(salted, "Server Key")}, nil
}

func (keyStore) Authorize(_ context.Context, c *sasl.Credentials) (string, error) {
	if c.User != "alice" {
		return "", sasl.ErrDenied
	}
	return c.User, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// TestLastWordIsOneLine of 512 octets at most (RFC 1939 section 3), whatever an
// Authenticator has to say.
func TestLastWordIsOneLine(t *testing.T) {
	r := start(t, func(s *pop3.Server) {
		s.MaxLoginFailures = 1
		s.Auth = sasl.AuthenticatorFunc(func(context.Context, *sasl.Credentials) (string, error) {
			return "", &mailparts.Error{Code: 454, Message: strings.Repeat("x", 1000)}
		})
	})
	c := r.dial()
	c.talk("C: USER alice\nS: +OK ...\nC: PASS open sesame")
	l := c.line()
	if len(l)+len("\r\n") > 512 || !strings.HasPrefix(l, "-ERR [SYS/TEMP] xxx") || !strings.HasSuffix(l, "xxx; too many errors, closing the connection") {
		t.Errorf("got %q of %d octets", l, len(l))
	}
	c.eof()
}

// TestUncertainLogin is an Authenticator that cannot tell, or tells too much.
func TestUncertainLogin(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"unknown", errors.New("the database is down"), "-ERR [SYS/TEMP] Temporary failure, please try again later"},
		{"temporary", &mailparts.Error{Code: 454, Message: "Directory restarts\nin a minute"}, "-ERR [SYS/TEMP] Directory restarts in a minute"},
		{"permanent", &mailparts.Error{Code: 535, Message: "Locked, call the help desk"}, "-ERR [SYS/PERM] Locked, call the help desk"},
		{"unknown user", mailparts.ErrNoUser, "-ERR [AUTH] Authentication failed"},
		{"denied with a reason", &mailparts.Error{Code: 535, Message: "No alice here", Err: sasl.ErrDenied}, "-ERR [AUTH] Authentication failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := start(t, func(s *pop3.Server) {
				s.Auth = sasl.AuthenticatorFunc(func(context.Context, *sasl.Credentials) (string, error) { return "", test.err })
			})
			r.dial().talk(`
				C: USER alice
				S: +OK Send PASS
				C: PASS open sesame
				S: ` + test.want + `
				C: AUTH PLAIN AGFsaWNlAG9wZW4gc2VzYW1l
				S: ` + test.want)
		})
	}
}

// TestCredentials looks at what an Authenticator is given.
func TestCredentials(t *testing.T) {
	var got sasl.Credentials
	r := start(t, func(s *pop3.Server) {
		s.Auth = sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
			got = *c
			return "alice", nil
		})
	})
	c := r.dial()
	c.talk("C: USER Alice\nS: +OK ...\nC: PASS  two  spaces \nS: +OK ...")
	if got.User != "Alice" || got.Password != " two  spaces " || got.Mechanism != "USER" {
		t.Errorf("got %q with %q by %q", got.User, got.Password, got.Mechanism)
	}
	if got.Conn.Protocol != "pop3" || got.Conn.Remote.String() != c.LocalAddr().String() || got.Conn.TLS != nil {
		t.Errorf("got the connection %+v", got.Conn)
	}
}

func TestNoAuthenticator(t *testing.T) {
	r := start(t, func(s *pop3.Server) { s.Auth = nil })
	r.dial().talk(`
		C: CAPA
		` + capabilities + `
		S: .
		C: USER alice
		S: -ERR Unknown command
		C: AUTH PLAIN
		S: -ERR Unknown mechanism`)
}

// TestSecrets reads the log of good and bad logins.
func TestSecrets(t *testing.T) {
	r := start(t, nil)
	r.dial().talk(`
		C: USER hunter1
		C: PASS hunter2
		C: AUTH PLAIN AGFsaWNlAGh1bnRlcjM=
		C: AUTH PLAIN
		C: AGFsaWNlAGh1bnRlcjM=
		S: +OK Send PASS
		S: -ERR [AUTH] ...
		S: -ERR [AUTH] ...
		S: + 
		S: -ERR [AUTH] ...
		S: EOF`)
	r.login()
	log := r.log.String()
	for _, secret := range []string{"hunter", "sesame", "AGFsaWNl"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
	if !strings.Contains(log, "login failed") || !strings.Contains(log, "logged in") {
		t.Errorf("the log has no word about logins:\n%s", log)
	}
}
