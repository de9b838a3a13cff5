package sasl_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/mailparts/mailparts/sasl"
)

// without is a KeyStore that says for which mechanisms it lacks keys.
type without struct {
	users
	mechanism string
}

func (w without) HasKeys(mechanism string) bool { return mechanism != w.mechanism }

func TestMechanisms(t *testing.T) {
	f := sasl.AuthenticatorFunc(func(context.Context, *sasl.Credentials) (string, error) { return "", sasl.ErrDenied })
	for _, tt := range []struct {
		name string
		a    sasl.Authenticator
		want string
	}{
		{"none", nil, "[]"},
		{"an Authenticator", f, "[PLAIN LOGIN]"},
		{"a KeyStore", users{}, "[SCRAM-SHA-256 PLAIN LOGIN]"},
		{"a KeyChecker that has the keys", without{mechanism: "SCRAM-SHA-1"}, "[SCRAM-SHA-256 PLAIN LOGIN]"},
		{"a KeyChecker that lacks keys", without{mechanism: "SCRAM-SHA-256"}, "[PLAIN LOGIN]"},
	} {
		names := []string{}
		for _, m := range sasl.Mechanisms(tt.a) {
			names = append(names, m.Name)
			if m.Plaintext != (m.Name != "SCRAM-SHA-256") {
				t.Errorf("%s: %s has Plaintext %v", tt.name, m.Name, m.Plaintext)
			}
		}
		if got := fmt.Sprint(names); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The connection reaches the Authenticator, and is there if the server gave none.
func TestConnOfCredentials(t *testing.T) {
	var got *sasl.Conn
	a := sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
		got = c.Conn
		return c.User, nil
	})
	m := mechanism(t, a, "PLAIN")

	conn := &sasl.Conn{Protocol: "pop3"}
	talk(t, m.New(t.Context(), conn), "C: \x00alice\x00secret", "OK alice")
	if got != conn {
		t.Errorf("Credentials.Conn = %v, want the connection", got)
	}
	talk(t, m.New(t.Context(), nil), "C: \x00alice\x00secret", "OK alice")
	if got == nil {
		t.Error("Credentials.Conn = nil")
	}
}

// After an end of any kind, an exchange fails whatever it is given.
func TestAfterTheEnd(t *testing.T) {
	u := users{"alice": "secret"}
	for _, ended := range []struct {
		mechanism string
		end       []string
	}{
		{"PLAIN", []string{"C: \x00alice\x00secret", "OK alice"}},
		{"PLAIN", []string{"C: \x00alice\x00wrong", "denied"}},
		{"PLAIN", []string{"C: ", "malformed"}},
		{"PLAIN", []string{"C: \x00down\x00x", "error: the database is down"}},
		{"LOGIN", []string{"C: alice", "S: Password:", "C: secret", "OK alice"}},
		{"LOGIN", []string{"C: alice", "S: Password:", "C: wrong", "denied"}},
		{"LOGIN", []string{"C: ", "malformed"}},
		{"SCRAM-SHA-256", []string{"C: ", "malformed"}},
		{"SCRAM-SHA-256", []string{"C: n,,n=down,r=x", "error: the database is down"}},
	} {
		for _, more := range []string{"C-", "C: ", "C: \x00alice\x00secret", "C: n,,n=alice,r=x"} {
			x := mechanism(t, u, ended.mechanism).New(t.Context(), nil)
			talk(t, x, append(ended.end, more, "malformed", "C-", "malformed")...)
		}
	}
}

// A panic in the Authenticator, which a server recovers, ends the exchange too.
func TestPanicEndsTheExchange(t *testing.T) {
	a := sasl.AuthenticatorFunc(func(context.Context, *sasl.Credentials) (string, error) { panic("a bug") })
	x := mechanism(t, a, "PLAIN").New(t.Context(), nil)
	func() {
		defer func() { recover() }()
		x.Next([]byte("\x00alice\x00secret"))
	}()
	talk(t, x, "C: \x00alice\x00secret", "malformed")
}
