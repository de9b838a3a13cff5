package passwd

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const argon2idPrefix = "$argon2id$"

// Limits of what a line may ask for, and what Set asks for.
const (
	maxMemory = 256 * 1024 // KiB
	maxPasses = 10
	maxLanes  = 16
	maxSize   = 64 // octets, of salt and hash

	saltSize = 16 // octets
	hashSize = 32 // octets
)

// defaultArgon2id is the second of the equal choices in OWASP's Password Storage
// Cheat Sheet.
var defaultArgon2id = argon2idParams{memory: 19456, passes: 2, lanes: 1}

// argon2idParams are m (KiB), t and p of RFC 9106 section 3.1.
type argon2idParams struct{ memory, passes, lanes uint32 }

// argon2id is a hash in PHC string form.
type argon2id struct {
	params     argon2idParams
	salt, hash []byte
}

func newArgon2id(password string) *argon2id {
	a := &argon2id{params: defaultArgon2id, salt: make([]byte, saltSize), hash: make([]byte, hashSize)}
	rand.Read(a.salt)
	a.hash = a.compute(password)
	return a
}

var (
	errArgon2id = errors.New("not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	errPHCSize  = fmt.Errorf("argon2id salt and hash are 8 to %d and 16 to %d octets, base64 without padding", maxSize, maxSize)
)

func parseArgon2id(text string) (*argon2id, error) {
	part := strings.Split(text, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v=19" {
		return nil, errArgon2id
	}
	a := &argon2id{}
	param := strings.Split(part[3], ",")
	if len(param) != 3 {
		return nil, errArgon2id
	}
	for i, p := range []struct {
		name  string
		value *uint32
		max   uint32
	}{
		{"m=", &a.params.memory, maxMemory},
		{"t=", &a.params.passes, maxPasses},
		{"p=", &a.params.lanes, maxLanes},
	} {
		digits, ok := strings.CutPrefix(param[i], p.name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil {
			return nil, errArgon2id
		}
		if n < 1 || n > uint64(p.max) {
			return nil, fmt.Errorf("argon2id %s%d is not within 1 and %d", p.name, n, p.max)
		}
		*p.value = uint32(n)
	}
	if a.params.memory < 8*a.params.lanes { // RFC 9106 section 3.1
		return nil, errors.New("argon2id m is less than 8 times p")
	}
	var err1, err2 error
	a.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(part[4])
	a.hash, err2 = base64.RawStdEncoding.Strict().DecodeString(part[5])
	if err1 != nil || err2 != nil || len(a.salt) < 8 || len(a.salt) > maxSize || len(a.hash) < 16 || len(a.hash) > maxSize {
		return nil, errPHCSize
	}
	return a, nil
}

func (a *argon2id) compute(password string) []byte {
	return argon2.IDKey([]byte(password), a.salt, a.params.passes, a.params.memory, uint8(a.params.lanes), uint32(len(a.hash)))
}

func (a *argon2id) matches(password string) bool {
	return subtle.ConstantTimeCompare(a.compute(password), a.hash) == 1
}

func (p argon2idParams) String() string {
	return fmt.Sprintf("%sv=19$m=%d,t=%d,p=%d", argon2idPrefix, p.memory, p.passes, p.lanes)
}

func (a *argon2id) cost() string { return a.params.String() }

// String is the field of the file.
func (a *argon2id) String() string {
	return schemeArgon2id + a.params.String() +
		"$" + base64.RawStdEncoding.EncodeToString(a.salt) + "$" + base64.RawStdEncoding.EncodeToString(a.hash)
}
