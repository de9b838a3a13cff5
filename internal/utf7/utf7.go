// Package utf7 is modified UTF-7, in which IMAP4rev1 has the names of mailboxes on
// the wire (RFC 3501 section 5.1.3), and Dovecot and Courier on disk: printable
// US-ASCII stands for itself, but "&" is "&-", and everything else is UTF-16 in
// base64, between "&" and "-".
package utf7

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// code is base64 with "," for "/", and no padding.
var code = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// Encode writes valid UTF-8 as modified UTF-7.
func Encode(s string) string {
	var b strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, func(r rune) bool { return !direct(r) })
		if n < 0 {
			n = len(s)
		}
		b.WriteString(strings.ReplaceAll(s[:n], "&", "&-"))
		s = s[n:]
		if n = strings.IndexFunc(s, direct); n < 0 {
			n = len(s)
		}
		if n > 0 {
			b.WriteByte('&')
			b.WriteString(code.EncodeToString(utf16Octets(s[:n])))
			b.WriteByte('-')
		}
		s = s[n:]
	}
	return b.String()
}

// direct reports whether r stands for itself, but for "&".
func direct(r rune) bool { return ' ' <= r && r <= '~' }

func utf16Octets(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}

// Decode reads what Encode writes, and reports false for anything else: a name has
// one spelling only.
func Decode(s string) (string, bool) {
	var b strings.Builder
	for rest := s; rest != ""; {
		text, after, shifted := strings.Cut(rest, "&")
		b.WriteString(text)
		if !shifted {
			break
		}
		word, after, ok := strings.Cut(after, "-")
		if !ok {
			return "", false
		}
		rest = after
		if word == "" {
			b.WriteByte('&')
			continue
		}
		octets, err := code.DecodeString(word)
		if err != nil {
			return "", false
		}
		var units []uint16
		for i := 1; i < len(octets); i += 2 {
			units = append(units, uint16(octets[i-1])<<8|uint16(octets[i]))
		}
		b.WriteString(string(utf16.Decode(units)))
	}
	out := b.String()
	return out, utf8.ValidString(out) && Encode(out) == s
}
