package sasl_test

import (
	"testing"

	gosasl "github.com/emersion/go-sasl"
)

func TestLogin(t *testing.T) {
	u := users{"alice": "secret", "ñandú": "contraseña"}
	for _, tt := range []struct {
		name  string
		lines []string
	}{
		{"both prompts", []string{"C-", "S: Username:", "C: alice", "S: Password:", "C: secret", "OK alice"}},
		{"user name as the initial response", []string{"C: alice", "S: Password:", "C: secret", "OK alice"}},
		{"prepared", []string{"C: n\u0303andu\u0301", "S: Password:", "C: contrasen\u0303a", "OK ñandú"}},
		{"wrong password", []string{"C: alice", "S: Password:", "C: Secret", "denied"}},
		{"unknown user", []string{"C: bob", "S: Password:", "C: secret", "denied"}},
		{"the back end fails", []string{"C: down", "S: Password:", "C: secret", "error: the database is down"}},

		{"empty initial response", []string{"C: ", "malformed"}},
		{"empty user", []string{"C-", "S: Username:", "C: ", "malformed"}},
		{"nil user", []string{"C-", "S: Username:", "C-", "malformed"}},
		{"empty password", []string{"C: alice", "S: Password:", "C: ", "malformed"}},
		{"nil password", []string{"C: alice", "S: Password:", "C-", "malformed"}},
		{"NUL in the password", []string{"C: alice", "S: Password:", "C: secret\x00", "malformed"}},
		{"invalid UTF-8", []string{"C: alice\xff", "S: Password:", "C: secret", "malformed"}},
		{"overlong user", []string{"C: x" + long, "S: Password:", "C: secret", "malformed"}},
		{"overlong password", []string{"C: alice", "S: Password:", "C: x" + long, "malformed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talk(t, mechanism(t, u, "LOGIN").New(t.Context(), nil), tt.lines...)
		})
	}
}

func TestLoginPeer(t *testing.T) {
	m := mechanism(t, users{"alice": "secret"}, "LOGIN")
	for _, withInitial := range []bool{true, false} {
		x := m.New(t.Context(), nil)
		peer(t, gosasl.NewLoginClient("alice", "secret"), x, withInitial)
		if x.User() != "alice" {
			t.Errorf("user %q, want alice", x.User())
		}
	}
}
