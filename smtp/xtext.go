package smtp

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// encodeXtext is the xtext of RFC 3461 section 4: every octet of s that is no
// xchar as "+" and its two upper-case hexadecimal digits. What it returns fits
// behind the "=" of a parameter, whatever s is.
func encodeXtext(s string) string {
	n := 0
	for i := range len(s) {
		if !isXchar(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2*n)
	for i := range len(s) {
		if c := s[i]; isXchar(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('+')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&0xf])
		}
	}
	return b.String()
}

const upperHex = "0123456789ABCDEF"

// isXchar accepts "!" to "~" but for "+" and "=".
func isXchar(c byte) bool { return '!' <= c && c <= '~' && c != '+' && c != '=' }

// decodeXtext is RFC 3461 section 4.
func decodeXtext(s string) (string, bool) {
	if !strings.Contains(s, "+") {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			if i+2 >= len(s) {
				return "", false
			}
			hi, ok1 := unhex(s[i+1])
			lo, ok2 := unhex(s[i+2])
			if !ok1 || !ok2 {
				return "", false
			}
			c = hi<<4 | lo
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// unhex takes upper case only, as xtext does.
func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// encodeUnitext is the encoding of an ORCPT's address of type utf-8 (RFC 6533
// section 3): utf-8-addr-unitext if native, for a server with SMTPUTF8, and else
// utf-8-addr-xtext. s is UTF-8.
func encodeUnitext(s string, native bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= utf8.RuneSelf && native, r >= '!' && r <= '~' && r != '\\' && r != '+' && r != '=':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\x{%02X}`, r)
		}
	}
	return b.String()
}

// decodeUnitext is the address that either of them stands for. What is no
// EmbeddedUnicodeChar of theirs stays.
func decodeUnitext(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, `\x{`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		hex, after, ok := strings.Cut(rest, "}")
		r, err := strconv.ParseUint(hex, 16, 32)
		if ok && err == nil && len(hex) >= 2 && len(hex) <= 6 && utf8.ValidRune(rune(r)) {
			b.WriteRune(rune(r))
			s = after
		} else {
			b.WriteString(`\x{`)
			s = rest
		}
	}
}
