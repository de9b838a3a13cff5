package thread

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// AppendCollated appends what Collate returns.
func AppendCollated(b []byte, text string) []byte {
	from := len(b)
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			return append(b[:from], Collate(text)...)
		}
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// Collate returns what orders text by its octets as i;unicode-casemap does (RFC 5051),
// which SORT and THREAD compare with (RFC 5256 section 2): in title case, decomposed. It
// may be text itself.
func Collate(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return norm.NFKD.String(strings.Map(unicode.ToTitle, text))
		}
	}
	return strings.ToUpper(text)
}
