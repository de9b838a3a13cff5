package sasl

import (
	"context"
	"crypto/sha256"
	"errors"
)

// KeyStore is implemented by Authenticators that hold SCRAM keys: without it
// SCRAM is not offered.
type KeyStore interface {
	// Keys returns the keys of user, a name after Prepare, for a mechanism
	// ("SCRAM-SHA-256"). For an unknown user it returns keys derived from the name
	// and a secret, the same at every call, and no error.
	Keys(ctx context.Context, mechanism, user string) (Keys, error)
	// Authorize is Authenticate's other half, after the mechanism has proved
	// c.User: it returns the canonical name, and judges Authzid.
	Authorize(ctx context.Context, c *Credentials) (user string, err error)
}

// KeyChecker is implemented by KeyStores that may lack keys. A mechanism for
// which HasKeys is false is not offered: a client takes the strongest one that it
// sees, and a user who has no keys for it could not log in.
type KeyChecker interface {
	HasKeys(mechanism string) bool
}

// Keys is what a server stores for RFC 5802 (section 3).
type Keys struct {
	Salt                 []byte
	Iterations           int // of PBKDF2; 4096 or more, RFC 7677 section 4
	StoredKey, ServerKey []byte
}

const minIterations = 4096

// errBadKeys is not a denial: it is the KeyStore that is wrong, not the client.
var errBadKeys = errors.New("sasl: the key store's keys are not fit for SCRAM-SHA-256")

// valid says whether the keys are what SCRAM-SHA-256 takes.
func (k *Keys) valid() bool {
	return len(k.Salt) > 0 && k.Iterations >= minIterations &&
		len(k.StoredKey) == sha256.Size && len(k.ServerKey) == sha256.Size
}
