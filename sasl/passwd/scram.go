package passwd

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts/sasl"
)

const (
	// scramIterations is what Set uses. RFC 7677 section 4 asks for 4096 at least,
	// and for much more where small devices are not in the way.
	scramIterations    = 65536
	minScramIterations = 4096
	maxScramIterations = 1_000_000
)

// scramKeys are the keys of SCRAM-SHA-256. A password can be checked against them
// too, by making the keys from it.
type scramKeys struct{ sasl.Keys }

func newScramKeys(password string) (*scramKeys, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return deriveScram(password, salt, scramIterations)
}

// deriveScram is RFC 5802 section 3 with SHA-256.
func deriveScram(password string, salt []byte, iterations int) (*scramKeys, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return nil, err
	}
	clientKey := hmacSHA256(salted, "Client Key")
	storedKey := sha256.Sum256(clientKey)
	return &scramKeys{sasl.Keys{
		Salt:       salt,
		Iterations: iterations,
		StoredKey:  storedKey[:],
		ServerKey:  hmacSHA256(salted, "Server Key"),
	}}, nil
}

func hmacSHA256(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

var errScram = errors.New("not of the form {SCRAM-SHA-256}iterations,salt,stored key,server key, the last three in base64")

// parseScram reads Dovecot's layout, which has no ":" in it.
func parseScram(text string) (*scramKeys, error) {
	part := strings.Split(text, ",")
	if len(part) != 4 {
		return nil, errScram
	}
	iterations, err := strconv.Atoi(part[0])
	if err != nil {
		return nil, errScram
	}
	if iterations < minScramIterations || iterations > maxScramIterations {
		return nil, fmt.Errorf("%d iterations are not within %d and %d", iterations, minScramIterations, maxScramIterations)
	}
	k := &scramKeys{sasl.Keys{Iterations: iterations}}
	for i, value := range []*[]byte{&k.Salt, &k.StoredKey, &k.ServerKey} {
		if *value, err = base64.StdEncoding.Strict().DecodeString(part[i+1]); err != nil {
			return nil, errScram
		}
	}
	if len(k.Salt) < 8 || len(k.Salt) > maxSize || len(k.StoredKey) != sha256.Size || len(k.ServerKey) != sha256.Size {
		return nil, fmt.Errorf("a SCRAM-SHA-256 salt is 8 to %d octets, and a key %d", maxSize, sha256.Size)
	}
	return k, nil
}

func (k *scramKeys) matches(password string) bool {
	got, err := deriveScram(password, k.Salt, k.Iterations)
	return err == nil && subtle.ConstantTimeCompare(got.StoredKey, k.StoredKey) == 1
}

func (k *scramKeys) cost() string { return fmt.Sprintf("SCRAM-SHA-256 i=%d", k.Iterations) }

// String is the field of the file.
func (k *scramKeys) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return schemeScram + strconv.Itoa(k.Iterations) + "," + b64(k.Salt) + "," + b64(k.StoredKey) + "," + b64(k.ServerKey)
}
