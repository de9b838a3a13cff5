package sasl_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl"
)

// No way to print or log Credentials shows the proof.
func TestCredentialsHideTheProof(t *testing.T) {
	c := sasl.Credentials{
		Mechanism: "PLAIN", User: "alice", Authzid: "bob", Password: "hunter2", Token: "hunter3",
		Conn: &sasl.Conn{Protocol: "smtp", Remote: netip.MustParseAddrPort("192.0.2.1:99")},
	}
	var logged bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(h).Info("who", "by value", c, "by pointer", &c)
	}
	for _, got := range []string{
		fmt.Sprint(c), fmt.Sprint(&c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%q", &c), logged.String(),
	} {
		if strings.Contains(got, "hunter") {
			t.Errorf("shows the proof: %s", got)
		}
		if !strings.Contains(got, "alice") || !strings.Contains(got, "bob") {
			t.Errorf("does not say who: %s", got)
		}
	}
	if !strings.Contains(logged.String(), "192.0.2.1:99") {
		t.Errorf("the log does not say from where: %s", logged.String())
	}
}

func TestAuthenticatorFunc(t *testing.T) {
	f := sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) { return c.User, nil })
	for _, tt := range []struct {
		c    sasl.Credentials
		want string
		err  error
	}{
		{sasl.Credentials{User: "alice", Password: "x"}, "alice", nil},
		{sasl.Credentials{User: "alice", Password: "x", Authzid: "alice"}, "alice", nil},
		{sasl.Credentials{User: "alice", Password: "x", Authzid: "bob"}, "", sasl.ErrDenied},
		{sasl.Credentials{User: "alice", Token: "x"}, "", sasl.ErrDenied},
	} {
		if user, err := f.Authenticate(t.Context(), &tt.c); user != tt.want || err != tt.err {
			t.Errorf("%v: %q, %v; want %q, %v", tt.c, user, err, tt.want, tt.err)
		}
	}
}
