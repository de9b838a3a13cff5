package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/sasl/passwd"
)

// accounts are the users of the password file. A user named alice has the
// address alice@ every one of the domains, and may log in with it; one named
// alice@example.test has that address alone.
type accounts struct {
	*passwd.File
	domains []string
}

// openAccounts opens the data folder's password file and adds the users that c
// names, or the demo users if there are none.
func openAccounts(ctx context.Context, c *config, out io.Writer, log *slog.Logger) (*accounts, error) {
	file, err := passwd.OpenOrCreate(filepath.Join(c.data, "users"))
	if err != nil {
		return nil, err
	}
	file.Logger = log
	a := &accounts{file, c.domains}
	for _, u := range c.users {
		cred := &sasl.Credentials{User: u.name, Password: u.password}
		if _, err := file.Authenticate(ctx, cred); err == nil {
			continue // as it is
		}
		if err := file.Set(u.name, u.password); err != nil {
			return nil, fmt.Errorf("user %s: %w", u.name, err)
		}
	}
	if names := file.Names(); len(names) > 0 {
		fmt.Fprintf(out, "users: %s; -user NAME:PASSWORD gives one a new password\n", strings.Join(names, ", "))
		return a, nil
	}
	return a, a.addDemo(c, out)
}

// addDemo makes two users to try the server with.
func (a *accounts) addDemo(c *config, out io.Writer) error {
	for _, name := range []string{"alice", "bob"} {
		password := rand.Text()[:12]
		if err := a.Set(name, password); err != nil {
			return err
		}
		fmt.Fprintf(out, "made user %s, %s@%s, with the password %s\n", name, name, c.domains[0], password)
	}
	return nil
}

// Lookup is lmtp.Local's: the user of an address.
func (a *accounts) Lookup(_ context.Context, to mailparts.Address) (string, error) {
	for _, name := range []string{to.Local() + "@" + to.Domain(), to.Local()} {
		if user, ok := a.Canonical(name); ok {
			return user, nil
		}
	}
	return "", mailparts.ErrNoUser
}

// Own is smtp.Submission's: users may send as whom they get mail for.
func (a *accounts) Own(_ context.Context, user string, addr mailparts.Address) (bool, error) {
	local, _, _ := strings.Cut(addr.Local(), "+") // as lmtp.Local has it
	for _, name := range []string{addr.Local(), local} {
		if owner, ok := a.Canonical(name + "@" + addr.Domain()); ok {
			return owner == user, nil
		}
		if owner, ok := a.Canonical(name); ok && slices.Contains(a.domains, addr.Domain()) {
			return owner == user, nil
		}
	}
	return false, nil
}

// login is c with the name that the password file knows.
func (a *accounts) login(c *sasl.Credentials) *sasl.Credentials {
	d := *c
	d.User = a.userName(c.User)
	if c.Authzid != "" {
		d.Authzid = a.userName(c.Authzid)
	}
	return &d
}

// userName cuts one of our domains off a name that is not a user with it.
func (a *accounts) userName(name string) string {
	local, domain, ok := strings.Cut(name, "@")
	if _, whole := a.Canonical(name); ok && !whole && slices.Contains(a.domains, strings.ToLower(domain)) {
		return local
	}
	return name
}

// Authenticate implements sasl.Authenticator.
func (a *accounts) Authenticate(ctx context.Context, c *sasl.Credentials) (string, error) {
	return a.File.Authenticate(ctx, a.login(c))
}

// Keys implements sasl.KeyStore.
func (a *accounts) Keys(ctx context.Context, mechanism, user string) (sasl.Keys, error) {
	return a.File.Keys(ctx, mechanism, a.userName(user))
}

// Authorize implements sasl.KeyStore.
func (a *accounts) Authorize(ctx context.Context, c *sasl.Credentials) (string, error) {
	return a.File.Authorize(ctx, a.login(c))
}

// makeData makes the data folder.
func makeData(dir string) error { return os.MkdirAll(dir, 0o700) }
