// Package idn has the two forms of an internationalised domain: whoever asks
// whether a domain is ours must find it under both, because a peer may write
// either (RFC 5890 section 2.3.2.4, RFC 6531 section 3.2).
package idn

import (
	"strings"

	"golang.org/x/net/idna"
)

// ASCII returns domain in lower case A-labels, the form to compare by. A domain
// that IDNA does not allow, such as an address literal, is itself in lower case.
func ASCII(domain string) string {
	domain = strings.ToLower(domain)
	if isASCII(domain) {
		return domain
	}
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

// Unicode returns domain with U-labels in place of its A-labels.
func Unicode(domain string) string {
	a := ASCII(domain)
	if u, err := idna.Lookup.ToUnicode(a); err == nil {
		return u
	}
	return a
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
