package maildir

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
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

// packGUID is a mailbox's GUID in its index: zero unless it is 32 hexadecimal digits,
// as Dovecot and we make them.
func packGUID(guid string) (packed [2]uint64) {
	var b [16]byte
	if len(guid) != 2*len(b) || strings.ToLower(guid) != guid {
		return packed
	}
	if _, err := hex.Decode(b[:], []byte(guid)); err != nil {
		return packed
	}
	return [2]uint64{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

// unpackGUID is the other way; empty: not known.
func unpackGUID(packed [2]uint64) string {
	if packed == [2]uint64{} {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, packed[0])
	return hex.EncodeToString(binary.BigEndian.AppendUint64(b, packed[1]))
}
