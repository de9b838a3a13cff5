package sasl

import (
	"context"
	"unicode/utf8"

	"github.com/xdg-go/scram"
)

// scramMechanism takes its nonces from nonce; nil: xdg-go/scram's 24 octets of
// crypto/rand.
func scramMechanism(ks KeyStore, nonce func() string) Mechanism {
	return Mechanism{Name: ScramSHA256, New: func(ctx context.Context, c *Conn) Exchange {
		return newScramExchange(ctx, ks, c, nonce)
	}}
}

// scramExchange is RFC 5802 with SHA-256 (RFC 7677) on xdg-go/scram's messages.
// Theirs are the gs2 header ("n" and "y" are taken, "p" is refused as channel
// binding is not offered), the nonces and the comparison of the proof in constant
// time; ours are the keys, the names, the limits and the errors.
type scramExchange struct {
	dialogue
	ctx    context.Context
	keys   KeyStore
	conv   *scram.ServerConversation
	cred   Credentials
	keyErr error // why lookup failed
}

func newScramExchange(ctx context.Context, ks KeyStore, c *Conn, nonce func() string) Exchange {
	x := &scramExchange{ctx: ctx, keys: ks, cred: Credentials{Mechanism: ScramSHA256, Conn: orEmpty(c)}}
	x.dialogue = begin("", x.first)
	server, err := scram.SHA256.NewServer(x.lookup)
	if err != nil { // it has no reason to fail
		x.dialogue = begin("", func([]byte) ([]byte, step, error) { return nil, nil, err })
		return x
	}
	if nonce != nil {
		server.WithNonceGenerator(nonce)
	}
	x.conv = server.NewConversation()
	return x
}

// first takes the client-first-message and answers with the salt, the iteration
// count and the nonce.
func (x *scramExchange) first(message []byte) (challenge []byte, next step, err error) {
	if !utf8.Valid(message) {
		return nil, nil, malformed("invalid UTF-8")
	}
	reply, err := x.conv.Step(string(message))
	switch {
	case x.keyErr != nil:
		return nil, nil, x.keyErr
	case err != nil:
		// Their error quotes the client.
		return nil, nil, malformed("client-first-message")
	}
	x.cred.Authzid = x.conv.AuthzID()
	if err := checkField(x.cred.Authzid); err != nil {
		return nil, nil, err
	}
	return []byte(reply), x.final, nil
}

// lookup is called by Step with the name of the client-first-message.
func (x *scramExchange) lookup(name string) (scram.StoredCredentials, error) {
	var k Keys
	k, x.keyErr = x.lookupKeys(name)
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(k.Salt), Iters: k.Iterations},
		StoredKey:  k.StoredKey,
		ServerKey:  k.ServerKey,
	}, x.keyErr
}

func (x *scramExchange) lookupKeys(name string) (Keys, error) {
	if err := checkField(name); err != nil {
		return Keys{}, err
	}
	var err error
	if x.cred.User, err = Prepare(name); err != nil { // RFC 5802 section 5.1, "n"
		return Keys{}, ErrDenied
	}
	k, err := x.keys.Keys(x.ctx, ScramSHA256, x.cred.User)
	if err == nil && !k.valid() {
		err = errBadKeys
	}
	return k, err
}

// final takes the client-final-message, and answers with the proof that the
// server knows the keys once the user is both proved and authorized.
func (x *scramExchange) final(message []byte) (challenge []byte, next step, err error) {
	reply, err := x.conv.Step(string(message))
	switch {
	case err != nil && reply == "": // it has no "e=" for what it cannot parse
		return nil, nil, malformed("client-final-message")
	case err != nil || !x.conv.Valid():
		return nil, nil, ErrDenied
	}
	user, err := admitted(x.keys.Authorize(x.ctx, &x.cred))
	if err != nil {
		return nil, nil, err
	}
	return []byte(reply), x.acknowledge(user), nil
}

// acknowledge takes the empty message that answers the server's proof.
func (x *scramExchange) acknowledge(user string) step {
	return func(message []byte) ([]byte, step, error) {
		if len(message) != 0 {
			return nil, nil, malformed("a message after the last one")
		}
		x.user = user
		return nil, nil, nil
	}
}
