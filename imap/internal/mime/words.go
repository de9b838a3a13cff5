package mime

import (
	"strings"
	"unicode/utf8"
)

// DecodeHeader decodes the encoded words of RFC 2047 in a header value to UTF-8, as
// readers do and not as the RFC has it: also within quoted strings and beside other
// text. White space between two words goes, and what one word has of a character is
// joined with the next's. A word that cannot be decoded stays as it is. Octets that are
// no UTF-8 and in no word are taken for Windows-1252.
func DecodeHeader(s string) string {
	if !strings.Contains(s, "=?") {
		return asUTF8(s)
	}
	var b, run []byte
	charset := "" // of run, what adjacent words have decoded so far
	flush := func() {
		b = append(b, toUTF8(run, charset)...)
		run, charset = run[:0], ""
	}
	for s != "" {
		start := strings.Index(s, "=?")
		if start < 0 {
			break
		}
		w, ok := cutWord(s[start:])
		if !ok {
			flush()
			b = append(b, asUTF8(s[:start+2])...)
			s = s[start+2:]
			continue
		}
		if text := s[:start]; charset == "" || strings.TrimLeft(text, " \t\r\n") != "" {
			flush()
			b = append(b, asUTF8(text)...)
		}
		if !strings.EqualFold(charset, w.charset) {
			flush()
		}
		run, charset = w.appendTo(run), w.charset
		s = s[start+w.size:]
	}
	flush()
	return string(append(b, asUTF8(s)...))
}

// word is an encoded word.
type word struct {
	charset  string
	encoding byte // 'b' or 'q'
	text     string
	size     int // in all
}

// cutWord takes the word that s begins with: =?charset*language?encoding?text?=
func cutWord(s string) (w word, ok bool) {
	const longest = 4 << 10 // RFC 2047 section 2 allows 75; some write whole subjects
	rest := s[2:min(len(s), longest)]
	charset, rest, ok := strings.Cut(rest, "?")
	if !ok || charset == "" || len(rest) < 2 || rest[1] != '?' || strings.ContainsAny(charset, " \t\"<>") {
		return w, false
	}
	w.encoding = rest[0] | 0x20
	rest = rest[2:]
	end := strings.Index(rest, "?=")
	if end < 0 || w.encoding != 'b' && w.encoding != 'q' {
		return w, false
	}
	if w.encoding == 'q' && strings.HasPrefix(rest[end+1:], "=") && end+3 < len(rest) && isHex(rest[end+2]) && isHex(rest[end+3]) {
		// "?=C3=A9?=": a question mark that should have been encoded
		if more := strings.Index(rest[end+2:], "?="); more >= 0 && !strings.ContainsAny(rest[end:end+2+more], " \t") {
			end += 2 + more
		}
	}
	w.charset, _, _ = strings.Cut(charset, "*") // RFC 2231 section 5
	if w.charset == "" || !known(w.charset) {
		return w, false
	}
	w.text = rest[:end]
	w.size = 2 + len(charset) + 3 + end + 2
	return w, true
}

func isHex(c byte) bool { return unhex[c] < 16 }

// appendTo appends the octets of a word.
func (w word) appendTo(b []byte) []byte {
	if w.encoding == 'b' {
		var d base64Decoder
		return d.decode(b, []byte(w.text), true)
	}
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			b = append(b, ' ')
		case c == '=' && i+2 < len(w.text) && isHex(w.text[i+1]) && isHex(w.text[i+2]):
			b = append(b, unhex[w.text[i+1]]<<4|unhex[w.text[i+2]])
			i += 2
		default:
			b = append(b, c)
		}
	}
	return b
}

// asUTF8 returns text that is in no encoded word.
func asUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string(toUTF8([]byte(s), "windows-1252"))
}
