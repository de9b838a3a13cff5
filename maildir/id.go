package maildir

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// objectID is the EMAILID (RFC 8474) of what Dovecot calls a message's GUID: the
// "G" field in the uidlist, which copies have, or the base without the sizes. It is
// the same, if it can stand for itself, or a digest.
func objectID(guid string) string {
	guid, _, _ = strings.Cut(guid, ",")
	if isObjectID(guid) {
		return guid
	}
	sum := sha256.Sum256([]byte(guid))
	return "M" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// isObjectID is the syntax of RFC 8474 section 7.
func isObjectID(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
