package dns

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/idna"

	"github.com/mailparts/mailparts"
)

// The limits of RFC 1035 section 2.3.4, as they show in a name without the final
// dot.
const (
	maxName  = 253
	maxLabel = 63
)

// lookupProfile is idna.Lookup but for its hold on ASCII: names of the DNS have
// underscores where host names may not (RFC 8552).
var lookupProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false))

// canonical is name as it is asked for and compared: A-labels, lower case, no
// final dot. Its error is ErrNoDomain, since a name that the DNS cannot hold is
// one that it does not have.
func canonical(name string) (string, error) {
	name = strings.TrimSuffix(name, ".")
	if !isASCII(name) {
		if !utf8.ValidString(name) {
			return "", fmt.Errorf("%w: not UTF-8", mailparts.ErrNoDomain)
		}
		ascii, err := lookupProfile.ToASCII(name)
		if err != nil {
			return "", fmt.Errorf("%w: %w", mailparts.ErrNoDomain, err)
		}
		name = ascii
	}
	if why := malformed(name); why != "" {
		return "", fmt.Errorf("%w: %s", mailparts.ErrNoDomain, why)
	}
	return asciiLower(name), nil
}

// malformed says why the DNS cannot hold name, or "".
func malformed(name string) string {
	if len(name) > maxName {
		return "name too long"
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return "an address is no name"
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return "empty label"
		case len(label) > maxLabel:
			return "label too long"
		case !printable(label):
			return "octet that no name of ours has"
		}
	}
	return ""
}

// text is n without the final dot and in lower case; ok means that it can be
// shown, logged and written to a peer.
func text(n dnsmessage.Name) (name string, ok bool) {
	name = strings.TrimSuffix(asciiLower(n.String()), ".")
	return name, printable(name)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// printable accepts visible ASCII. A space is left out on purpose: no name that
// mail has to do with holds one.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// asciiLower is strings.ToLower for octets: it never touches what is not ASCII.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
