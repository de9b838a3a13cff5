package thread

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

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
