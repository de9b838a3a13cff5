package sasl

import (
	"context"

	gosasl "github.com/emersion/go-sasl"
)

// ScramSHA256 is the name of RFC 7677's mechanism, which a KeyStore is asked for.
// Those of PLAIN and LOGIN are go-sasl's Plain and Login.
const ScramSHA256 = "SCRAM-SHA-256"

// Mechanism starts exchanges of one kind.
type Mechanism struct {
	Name      string // as registered with IANA: "PLAIN"
	Plaintext bool   // shows the secret: only under TLS
	// New starts an exchange on c, which may be nil and is not changed. The
	// Exchange ends with its connection's ctx.
	New func(ctx context.Context, c *Conn) Exchange
}

// Exchange is go-sasl's Server that can say who it was. User is valid once Next
// has returned done.
//
// As with go-sasl, a nil response says that the client sent no initial response,
// and an empty one that it sent an empty message ("=", RFC 4954 section 4); after
// the first call the two are one. Done never comes with a challenge: where a
// mechanism's last word is the server's (SCRAM), it is a challenge that the client
// answers with an empty message, because none of the mail protocols has room for
// data in its success reply. Next may be called again after done and after an
// error, and fails then.
type Exchange interface {
	gosasl.Server
	User() string
}

// Mechanisms is what a can verify, strongest first. The protocol servers offer it
// by default. A nil a verifies nothing. Where a is a KeyChecker the result may
// change with its users.
func Mechanisms(a Authenticator) []Mechanism {
	switch a := a.(type) {
	case nil:
		return nil
	case *Brake:
		return a.mechanisms()
	}
	var ms []Mechanism
	if ks, ok := a.(KeyStore); ok && hasKeys(ks, ScramSHA256) {
		ms = append(ms, scramMechanism(ks, nil))
	}
	return append(ms, plainMechanism(a), loginMechanism(a))
}

func hasKeys(ks KeyStore, mechanism string) bool {
	kc, ok := ks.(KeyChecker)
	return !ok || kc.HasKeys(mechanism)
}

// orEmpty lets Authenticators read Credentials.Conn without a check.
func orEmpty(c *Conn) *Conn {
	if c == nil {
		return new(Conn)
	}
	return c
}
