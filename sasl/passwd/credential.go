package passwd

import (
	"errors"
	"strings"
)

// credential is one field of a line: something that a password can be checked
// against, at a price.
type credential interface {
	// cost names the scheme and all parameters on which the time and memory of
	// matches depend. Equal costs are equally dear.
	cost() string
	// matches hashes password, which takes its time, and compares in constant time.
	matches(password string) bool
}

// Each scheme's name in braces is Dovecot's, and its case does not matter.
const (
	schemeArgon2id = "{ARGON2ID}"
	schemeBcrypt   = "{BLF-CRYPT}"
	schemeScram    = "{SCRAM-SHA-256}"
)

// errCredential does not quote the field: it may be a password in the clear.
var errCredential = errors.New("neither an argon2id or bcrypt hash nor SCRAM-SHA-256 keys")

func parseCredential(field string) (credential, error) {
	if value, ok := cutScheme(field, schemeScram); ok {
		return parseScram(value)
	}
	if value, ok := cutScheme(field, schemeArgon2id); ok || strings.HasPrefix(field, argon2idPrefix) {
		return parseArgon2id(value)
	}
	if value, ok := cutScheme(field, schemeBcrypt); ok || strings.HasPrefix(field, "$2") {
		return parseBcrypt(value)
	}
	return nil, errCredential
}

// cutScheme returns field without the scheme before it, or field and false.
func cutScheme(field, scheme string) (string, bool) {
	if len(field) < len(scheme) || !strings.EqualFold(field[:len(scheme)], scheme) {
		return field, false
	}
	return field[len(scheme):], true
}
