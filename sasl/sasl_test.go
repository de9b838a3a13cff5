package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl"
	"github.com/xdg-go/scram"
)

// errDown is a back end's failure that is neither a denial nor the client's fault.
var errDown = errors.New("the database is down")

// users is an Authenticator and KeyStore of names and passwords. The user "down"
// is one that it cannot look up, and "nobody" one whom it admits without a name.
// The user "admin" may act as others.
type users map[string]string

func (u users) Authenticate(ctx context.Context, c *sasl.Credentials) (string, error) {
	if pass, ok := u[c.User]; ok && pass != c.Password {
		return "", sasl.ErrDenied
	}
	return u.Authorize(ctx, c)
}

func (u users) Authorize(ctx context.Context, c *sasl.Credentials) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	_, ok := u[c.User]
	switch {
	case c.User == "down":
		return "", errDown
	case c.User == "nobody":
		return "", nil
	case !ok || c.Authzid != "" && c.Authzid != c.User && c.User != "admin":
		return "", sasl.ErrDenied
	case c.Authzid != "":
		return c.Authzid, nil
	}
	return c.User, nil
}

func (u users) Keys(ctx context.Context, mechanism, user string) (sasl.Keys, error) {
	if user == "down" {
		return sasl.Keys{}, errDown
	}
	pass, ok := u[user]
	if !ok {
		pass = "no one has this password"
	}
	return keysOf(pass, "W22ZaJ0SNY7soEsU", 4096), nil
}

// keysOf derives SCRAM-SHA-256 keys with the peer's code, not ours.
func keysOf(pass, salt string, iterations int) sasl.Keys {
	client, err := scram.SHA256.NewClientUnprepped("", pass, "")
	if err != nil {
		panic(err)
	}
	k, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: salt, Iters: iterations})
	if err != nil {
		panic(err)
	}
	return sasl.Keys{Salt: []byte(salt), Iterations: iterations, StoredKey: k.StoredKey, ServerKey: k.ServerKey}
}

func mechanism(t testing.TB, a sasl.Authenticator, name string) sasl.Mechanism {
	t.Helper()
	for _, m := range sasl.Mechanisms(a) {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no mechanism %s", name)
	return sasl.Mechanism{}
}

// talk has a dialogue with x: "C: message" is a message of the client and "C-" a
// call without one; what x answers is "S: challenge", "OK user", "denied",
// "malformed" or "error: text".
func talk(t *testing.T, x sasl.Exchange, lines ...string) {
	t.Helper()
	var got string
	for i, line := range lines {
		switch {
		case line == "C-":
			got = answer(x, nil)
		case strings.HasPrefix(line, "C: "):
			got = answer(x, []byte(line[3:]))
		case got != line:
			t.Fatalf("line %d: got %q, want %q", i, got, line)
		}
	}
}

func answer(x sasl.Exchange, message []byte) string {
	challenge, done, err := x.Next(message)
	switch {
	case errors.Is(err, sasl.ErrDenied):
		return "denied"
	case errors.Is(err, sasl.ErrMalformed):
		return "malformed"
	case err != nil:
		return "error: " + err.Error()
	case done && challenge != nil:
		return "done with a challenge"
	case done:
		return "OK " + x.User()
	case challenge == nil:
		return "no challenge"
	}
	return "S: " + string(challenge)
}
