package passwd

import (
	"context"
	"errors"

	"github.com/mailparts/mailparts/sasl"
)

// Authenticate implements sasl.Authenticator for passwords; anything else is
// denied. Nobody may act as another user. It waits, until ctx ends, while too many
// hashes are being computed.
func (f *File) Authenticate(ctx context.Context, c *sasl.Credentials) (user string, err error) {
	if c.Password == "" {
		return "", sasl.ErrDenied
	}
	users := f.current()
	u := users.find(c.User)
	proof := users.decoy(c.User)
	if u != nil && u.password() != nil {
		proof = u.password()
	} else {
		u = nil
	}
	var ok bool
	if err := f.work.do(ctx, proof.cost(), func() { ok = proof.matches(c.Password) }); err != nil {
		return "", err
	}
	if !ok || u == nil {
		return "", sasl.ErrDenied
	}
	return users.actAs(u, c.Authzid)
}

// Keys implements sasl.KeyStore. The keys of an unknown user, and of one who has
// none, are made from the name and the secret. Mechanisms other than SCRAM-SHA-256
// get errors.ErrUnsupported.
func (f *File) Keys(ctx context.Context, mechanism, user string) (sasl.Keys, error) {
	if mechanism != sasl.ScramSHA256 {
		return sasl.Keys{}, errors.ErrUnsupported
	}
	users := f.current()
	keys := users.decoyKeys(user)
	if u := users.find(user); u != nil && u.keys != nil {
		keys = u.keys.Keys
	}
	return keys, nil
}

// HasKeys implements sasl.KeyChecker: everyone who can log in has keys for the
// mechanism.
func (f *File) HasKeys(mechanism string) bool {
	return mechanism == sasl.ScramSHA256 && f.current().allHaveKeys
}

// Authorize implements sasl.KeyStore. Nobody may act as another user.
func (f *File) Authorize(ctx context.Context, c *sasl.Credentials) (user string, err error) {
	users := f.current()
	u := users.find(c.User)
	if u == nil || u.keys == nil || c.Mechanism != sasl.ScramSHA256 {
		return "", sasl.ErrDenied
	}
	return users.actAs(u, c.Authzid)
}

// actAs is the name of u, if authzid asks for nobody else.
func (t *table) actAs(u *user, authzid string) (string, error) {
	if authzid != "" && t.find(authzid) != u {
		return "", sasl.ErrDenied
	}
	return u.name, nil
}
