package sasl_test

import (
	"context"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"
	"github.com/mailparts/mailparts/sasl"
)

var long = strings.Repeat("x", 1024)

func TestPlain(t *testing.T) {
	u := users{"alice": "secret", "admin": "root", "ñandú": "contraseña", long: long, "nobody": "x"}
	for _, tt := range []struct {
		name  string
		lines []string
	}{
		{"initial response", []string{"C: \x00alice\x00secret", "OK alice"}},
		{"no initial response", []string{"C-", "S: ", "C: \x00alice\x00secret", "OK alice"}},
		{"wrong password", []string{"C: \x00alice\x00Secret", "denied"}},
		{"unknown user", []string{"C: \x00bob\x00secret", "denied"}},
		{"authzid is the user", []string{"C: alice\x00alice\x00secret", "OK alice"}},
		{"authzid is another", []string{"C: admin\x00alice\x00secret", "denied"}},
		{"authzid is another, allowed", []string{"C: alice\x00admin\x00root", "OK alice"}},
		{"the back end fails", []string{"C: \x00down\x00x", "error: the database is down"}},
		{"the back end names nobody", []string{"C: \x00nobody\x00x", "error: sasl: the authenticator admitted a user without a name"}},
		{"longest fields", []string{"C: \x00" + long + "\x00" + long, "OK " + long}},

		// SASLprep: U+00AD vanishes, U+00AA becomes "a" (RFC 4013 section 3), NFD becomes NFC.
		{"prepared name", []string{"C: \x00al\u00adice\x00secret", "OK alice"}},
		{"prepared name and password", []string{"C: \x00n\u0303andu\u0301\x00contrasen\u0303a", "OK ñandú"}},
		{"nothing left of the name", []string{"C: \x00\u00ad\x00secret", "denied"}},
		{"nothing left of the password", []string{"C: \x00alice\x00\u00ad", "denied"}},
		{"prohibited in the name", []string{"C: \x00al\x07ice\x00secret", "denied"}},
		{"mixed directions", []string{"C: \x00\u06271\x00secret", "denied"}},

		{"empty initial response", []string{"C: ", "malformed"}},
		{"empty response", []string{"C-", "S: ", "C: ", "malformed"}},
		{"nil response", []string{"C-", "S: ", "C-", "malformed"}},
		{"two fields", []string{"C: alice\x00secret", "malformed"}},
		{"four fields: NUL in the password", []string{"C: \x00alice\x00sec\x00ret", "malformed"}},
		{"empty user", []string{"C: \x00\x00secret", "malformed"}},
		{"empty password", []string{"C: \x00alice\x00", "malformed"}},
		{"invalid UTF-8 in the user", []string{"C: \x00al\xffice\x00secret", "malformed"}},
		{"invalid UTF-8 in the password", []string{"C: \x00alice\x00secret\xc3", "malformed"}},
		{"invalid UTF-8 in the authzid", []string{"C: \xff\x00alice\x00secret", "malformed"}},
		{"overlong user", []string{"C: \x00" + long + "x\x00secret", "malformed"}},
		{"overlong password", []string{"C: \x00alice\x00x" + long, "malformed"}},
		{"overlong authzid", []string{"C: x" + long + "\x00alice\x00secret", "malformed"}},
		{"overlong message", []string{"C: " + strings.Repeat(long, 5), "malformed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talk(t, mechanism(t, u, "PLAIN").New(t.Context(), nil), tt.lines...)
		})
	}
}

// The examples of RFC 4616 section 4.
func TestPlainRFC4616(t *testing.T) {
	m := mechanism(t, users{"tim": "tanstaaftanstaaf", "Kurt": "xipj3plmq"}, "PLAIN")
	talk(t, m.New(t.Context(), nil), "C: \x00tim\x00tanstaaftanstaaf", "OK tim")
	talk(t, m.New(t.Context(), nil), "C-", "S: ", "C: Ursel\x00Kurt\x00xipj3plmq", "denied")
}

func TestPlainPeer(t *testing.T) {
	m := mechanism(t, users{"alice": "secret"}, "PLAIN")
	for _, withInitial := range []bool{true, false} {
		x := m.New(t.Context(), nil)
		peer(t, gosasl.NewPlainClient("", "alice", "secret"), x, withInitial)
		if x.User() != "alice" {
			t.Errorf("user %q, want alice", x.User())
		}
	}
}

// A cancelled connection is not a denial.
func TestPlainCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	x := mechanism(t, users{"alice": "secret"}, "PLAIN").New(ctx, nil)
	talk(t, x, "C: \x00alice\x00secret", "error: context canceled")
}

// peer runs go-sasl's client against x until x is done.
func peer(t *testing.T, client gosasl.Client, x sasl.Exchange, withInitial bool) {
	t.Helper()
	_, response, err := client.Start()
	if err != nil {
		t.Fatal(err)
	}
	if !withInitial {
		if challenge, done, err := x.Next(nil); done || err != nil || challenge == nil {
			t.Fatalf("no initial response: challenge %q, done %v, %v", challenge, done, err)
		}
	}
	for {
		challenge, done, err := x.Next(response)
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
		if response, err = client.Next(challenge); err != nil {
			t.Fatal(err)
		}
	}
}
