package mailparts

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Address is a mailbox in RFC 5321 form, its local part quoted where it must
// be, so that it can be written after "MAIL FROM:<" unchanged. "" is the null
// path, "postmaster" the one mailbox without a domain (RFC 5321 section 4.5.1).
// Values from outside go through ParseAddress; a conversion checks nothing.
type Address string

// ErrBadAddress means that a string is no mailbox of RFC 5321.
var ErrBadAddress = errors.New("malformed address")

// The limits of RFC 5321 section 4.5.3.1, in octets as they come, quotes
// included. A path's 256 octets include its angle brackets.
const (
	maxLocal  = 64
	maxDomain = 255
	maxPath   = 254
	maxLabel  = 63
)

// Local is the local part, unquoted.
func (a Address) Local() string {
	l, _ := a.split()
	if len(l) < 2 || l[0] != '"' {
		return l
	}
	s, _, _ := unquote(l)
	return s
}

// Domain is the domain in lower case, an address literal with its brackets, or
// "" for the null path and postmaster.
func (a Address) Domain() string {
	_, d := a.split()
	return strings.ToLower(d)
}

// IsASCII reports whether a needs no SMTPUTF8 (RFC 6531).
func (a Address) IsASCII() bool {
	for i := range len(a) {
		if a[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// split cuts at the last "@" outside of an address literal, which may hold some.
func (a Address) split() (local, domain string) {
	i := strings.LastIndexByte(string(a), '@')
	if strings.HasSuffix(string(a), "]") {
		i = strings.LastIndex(string(a), "@[")
	}
	if i < 0 {
		return string(a), ""
	}
	return string(a[:i]), string(a[i+1:])
}

// ParseAddress accepts exactly the Mailbox of RFC 5321 section 4.1.2, with the
// UTF-8 of RFC 6531 section 3.3 and the length limits of section 4.5.3.1, and
// normalises the quoting: a local part is quoted only where it must be. The
// null path and a lone "postmaster" are no Mailbox. The error is ErrBadAddress.
func ParseAddress(s string) (Address, error) {
	if len(s) > maxPath || !utf8.ValidString(s) {
		return "", ErrBadAddress
	}
	local, rest, ok := cutLocal(s)
	if !ok || len(s)-len(rest) > maxLocal || len(rest) < 2 || rest[0] != '@' || !validDomain(rest[1:]) {
		return "", ErrBadAddress
	}
	return Address(quote(local) + rest), nil
}

// cutLocal reads a Dot-string or a Quoted-string and returns it unquoted.
func cutLocal(s string) (local, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		return unquote(s)
	}
	i := strings.IndexByte(s, '@')
	if i < 0 || !isDotString(s[:i]) {
		return "", "", false
	}
	return s[:i], s[i:], true
}

// unquote reads a Quoted-string from the start of s.
func unquote(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\':
			if i++; i == len(s) || s[i] < ' ' || s[i] > '~' { // quoted-pairSMTP
				return "", "", false
			}
			c = s[i]
		case c < ' ' || c == 0x7f: // qtextSMTP
			return "", "", false
		}
		b.WriteByte(c)
	}
	return "", "", false
}

// quote is the shortest form of a local part.
func quote(local string) string {
	if isDotString(local) {
		return local
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(local) {
		if local[i] == '"' || local[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	b.WriteByte('"')
	return b.String()
}

func isDotString(s string) bool {
	atom := 0
	for i := range len(s) {
		switch {
		case s[i] == '.' && atom > 0:
			atom = 0
		case isAtext(s[i]):
			atom++
		default:
			return false
		}
	}
	return atom > 0
}

// isAtext is the atext of RFC 5322 section 3.2.3 and RFC 6531's non-ASCII.
func isAtext(c byte) bool {
	return isAlnum(c) || c >= utf8.RuneSelf || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// validDomain accepts a Domain or an address-literal.
func validDomain(d string) bool {
	if d == "" || len(d) > maxDomain {
		return false
	}
	if d[0] == '[' {
		return d[len(d)-1] == ']' && validLiteral(d[1:len(d)-1])
	}
	for label := range strings.SplitSeq(d, ".") {
		if !validLabel(label) {
			return false
		}
	}
	return true
}

// validLabel accepts a sub-domain: letters, digits, inner hyphens, U-labels.
func validLabel(l string) bool {
	if l == "" || l[0] == '-' || l[len(l)-1] == '-' {
		return false
	}
	ascii := true
	for i := range len(l) {
		switch c := l[i]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case !isAlnum(c) && c != '-':
			return false
		}
	}
	return !ascii || len(l) <= maxLabel
}

// validLiteral accepts what stands between the brackets (RFC 5321 section 4.1.3),
// and "::" for a single group too, as RFC 4291 section 2.2 does.
func validLiteral(s string) bool {
	tag, content, tagged := strings.Cut(s, ":")
	if !tagged {
		ip, err := netip.ParseAddr(s)
		return err == nil && ip.Is4()
	}
	if strings.EqualFold(tag, "IPv6") {
		ip, err := netip.ParseAddr(content)
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	for i := range len(content) { // dcontent
		if c := content[i]; c < '!' || c > '~' || '[' <= c && c <= ']' {
			return false
		}
	}
	return content != "" && validLabel(tag)
}
