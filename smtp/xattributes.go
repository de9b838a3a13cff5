package smtp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what XCLIENT and XFORWARD tell, in octets before the xtext.
const (
	maxXName     = 255 // of a host, a user, a message
	maxXProtocol = 64
)

// xattributes is the argument of XCLIENT or XFORWARD: by name in upper case, and
// decoded. "" stands for [UNAVAILABLE] and [TEMPUNAVAIL].
type xattributes map[string]string

// mayProxy reports whether the peer may say whom it speaks for. One that XCLIENT
// has made another may not, unless that is in XFrom too.
func (s *session) mayProxy() bool { return s.among(s.XFrom, s.peer) }

// xcommand is what XCLIENT and XFORWARD have in common (Postfix's XCLIENT_README
// and XFORWARD_README).
func (s *session) xcommand(arg string, known []string) (xattributes, error) {
	switch {
	case !s.mayProxy():
		return nil, errNotProxy
	case s.tx != nil:
		return nil, errNestedMail
	}
	return parseXattributes(arg, known)
}

func parseXattributes(arg string, known []string) (xattributes, error) {
	attrs := xattributes{}
	for field := range strings.FieldsSeq(arg) {
		name, text, valued := strings.Cut(field, "=")
		name = strings.ToUpper(name)
		_, twice := attrs[name]
		value, ok := xvalue(text)
		if !valued || twice || !ok || !slices.Contains(known, name) || !validXvalue(name, value) {
			return nil, errXAttribute
		}
		attrs[name] = value
	}
	return attrs, nil
}

// xvalue decodes a value. "" is not one.
func xvalue(text string) (value string, ok bool) {
	if strings.EqualFold(text, "[UNAVAILABLE]") || strings.EqualFold(text, "[TEMPUNAVAIL]") {
		return "", true
	}
	value, ok = decodeXtext(text)
	return value, ok && value != ""
}

// validXvalue checks what is not parsed later.
func validXvalue(name, value string) bool {
	switch name {
	case "SOURCE":
		return value == "" || strings.EqualFold(value, "LOCAL") || strings.EqualFold(value, "REMOTE")
	case "PROTO":
		return len(value) <= maxXProtocol
	case "LOGIN":
		return len(value) <= maxXName && !hasControl(value) && utf8.ValidString(value)
	}
	return len(value) <= maxXName
}

// word is an attribute as it can stand in a Received field and a log, which as in
// Postfix are not where others find out what the client's EHLO was made of.
func (a xattributes) word(name string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' || strings.ContainsRune(`<>()\";@,`, c) {
			return '?'
		}
		return c
	}, a[name])
}

// endpoint is an address with its port. What the attributes do not tell is as
// before, but for the port of another address.
func (a xattributes) endpoint(before netip.AddrPort, addr, port string) (netip.AddrPort, error) {
	ip, number := before.Addr(), before.Port()
	if text, told := a[addr]; told {
		var err error
		if ip, err = parseXaddr(text); err != nil {
			return before, errXAttribute
		}
		number = 0
	}
	if text, told := a[port]; told {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil && text != "" {
			return before, errXAttribute
		}
		number = uint16(n)
	}
	if !ip.IsValid() {
		return netip.AddrPort{}, nil
	}
	return netip.AddrPortFrom(ip, number), nil
}

// ipv6Prefix precedes an IPv6 address, in any case, as in an address literal of
// RFC 5321 section 4.1.3.
const ipv6Prefix = "IPV6:"

// parseXaddr parses an address; "" is none.
func parseXaddr(text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	six := len(text) > len(ipv6Prefix) && strings.EqualFold(text[:len(ipv6Prefix)], ipv6Prefix)
	if six {
		text = text[len(ipv6Prefix):]
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is4() == six || a.Zone() != "" {
		return netip.Addr{}, errXAttribute
	}
	return a.Unmap(), nil
}
