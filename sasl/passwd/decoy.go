package passwd

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/mailparts/mailparts/sasl"
)

// keyShape is what a client sees of a user's keys before it has proved anything.
type keyShape struct {
	salt       int // octets
	iterations int
}

func (s keyShape) compare(o keyShape) int {
	return cmp.Or(cmp.Compare(s.salt, o.salt), cmp.Compare(s.iterations, o.iterations))
}

// decoy is what the password for an unknown user is checked against: it costs
// what checking one of the file's users costs, and the answer is not used.
func (t *table) decoy(name string) credential {
	if len(t.hashes) == 0 {
		return newDecoyHash()
	}
	return t.hashes[t.choose(len(t.hashes), "hash", name)]
}

// newDecoyHash serves a file in which nobody can log in.
func newDecoyHash() credential {
	return &argon2id{params: defaultArgon2id, salt: make([]byte, saltSize), hash: make([]byte, hashSize)}
}

// decoyKeys are the keys of a user who has none.
func (t *table) decoyKeys(name string) sasl.Keys {
	shape := keyShape{salt: saltSize, iterations: scramIterations}
	if n := len(t.keyShapes); n > 0 {
		shape = t.keyShapes[t.choose(n, "shape", name)]
	}
	salt := t.keyed("salt", name)
	for len(salt) < shape.salt {
		salt = append(salt, t.keyed(string(salt), name)...)
	}
	return sasl.Keys{
		Salt:       salt[:shape.salt],
		Iterations: shape.iterations,
		StoredKey:  t.keyed("stored key", name),
		ServerKey:  t.keyed("server key", name),
	}
}

// choose returns one of 0 … n-1, always the same for a name.
func (t *table) choose(n int, purpose, name string) int {
	return int(binary.BigEndian.Uint64(t.keyed(purpose, name)) % uint64(n))
}

// keyed is a hash of purpose and name that nobody without the secret can tell
// from random octets.
func (t *table) keyed(purpose, name string) []byte {
	if key, err := matchKey(name); err == nil {
		name = key // ALICE's salt is alice's
	}
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte(purpose + "\x00" + name))
	return mac.Sum(nil)
}
