package maildir

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7 is the base64 of modified UTF-7 (RFC 3501 section 5.1.3).
var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// encodeUTF7 writes valid UTF-8 as modified UTF-7.
func encodeUTF7(s string) string {
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
			b.WriteString(utf7.EncodeToString(utf16Octets(s[:n])))
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

// decodeUTF7 reads what encodeUTF7 writes, and nothing else: a name has one
// spelling only.
func decodeUTF7(s string) (string, bool) {
	var b strings.Builder
	for rest := s; rest != ""; {
		text, after, shifted := strings.Cut(rest, "&")
		b.WriteString(text)
		if !shifted {
			break
		}
		code, after, ok := strings.Cut(after, "-")
		if !ok {
			return "", false
		}
		rest = after
		if code == "" {
			b.WriteByte('&')
			continue
		}
		octets, err := utf7.DecodeString(code)
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
	return out, utf8.ValidString(out) && encodeUTF7(out) == s
}
