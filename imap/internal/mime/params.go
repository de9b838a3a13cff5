package mime

import (
	"strings"
	"unicode/utf8"
)

// maxParams bounds the parameters of a field.
const maxParams = 200

// parseParams reads "word; name=value; …", as Content-Type and Content-Disposition
// have it (RFC 2045 section 5.1), and whatever comes near to that. ok is false if
// there is not even the word.
func parseParams(s string) (word string, params []Param, ok bool) {
	t := tokenizer{s: s}
	word = t.until("; ")
	word = strings.TrimSpace(word)
	for t.skipTo(';') && len(params) < maxParams {
		t.i++
		name := t.until("=;")
		if t.i >= len(s) || s[t.i] != '=' {
			continue
		}
		t.i++
		if value := t.value(); name != "" {
			params = append(params, Param{name, value})
		}
	}
	return word, joinPieces(params), word != ""
}

// tokenizer reads the tokens of a structured field.
type tokenizer struct {
	s string
	i int
}

// space skips white space and comments.
func (t *tokenizer) space() {
	for t.i < len(t.s) {
		switch t.s[t.i] {
		case ' ', '\t', '\r', '\n':
			t.i++
		case '(':
			_, t.i = comment(t.s, t.i)
		default:
			return
		}
	}
}

// until takes a token that ends before one of some characters, without the white
// space and the comments in it: "text / plain" is "text/plain". A space among the
// characters ends it too, unless a "/" is beside the space.
func (t *tokenizer) until(ends string) string {
	t.space()
	var b []byte
	for t.i < len(t.s) && !strings.ContainsRune(ends, rune(t.s[t.i])) || t.i < len(t.s) && t.s[t.i] == ' ' {
		c := t.s[t.i]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '(' {
			t.space()
			slash := t.i < len(t.s) && t.s[t.i] == '/' || len(b) > 0 && b[len(b)-1] == '/'
			if strings.Contains(ends, " ") && !slash && len(b) > 0 {
				break
			}
			continue
		}
		b = append(b, c)
		t.i++
	}
	return string(b)
}

// value takes a quoted string or a token. What follows it up to the next semicolon is
// passed over by skipTo.
func (t *tokenizer) value() string {
	t.space()
	if t.i >= len(t.s) {
		return ""
	}
	if t.s[t.i] == '"' {
		var v string
		v, t.i = quoted(t.s, t.i)
		return v
	}
	start := t.i
	for t.i < len(t.s) && !strings.ContainsRune("; \t\r\n(\"", rune(t.s[t.i])) {
		t.i++
	}
	return t.s[start:t.i]
}

// skipTo moves to the next c that is in no quoted string and no comment.
func (t *tokenizer) skipTo(c byte) bool {
	for t.i < len(t.s) {
		switch t.s[t.i] {
		case c:
			return true
		case '"':
			_, t.i = quoted(t.s, t.i)
		case '(':
			_, t.i = comment(t.s, t.i)
		default:
			t.i++
		}
	}
	return false
}

// quoted reads the quoted string at i, and returns where it ends. One that is not
// closed ends with s.
func quoted(s string, i int) (string, int) {
	i++
	if n := strings.IndexAny(s[i:], `"\`); n >= 0 && s[i+n] == '"' {
		return s[i : i+n], i + n + 1
	}
	var b []byte
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return string(b), i + 1
		case c == '\\' && i+1 < len(s):
			i++
			b = append(b, s[i])
		default:
			b = append(b, c)
		}
	}
	return string(b), i
}

// comment reads the comment at i, those within it included, and returns where it ends.
func comment(s string, i int) (string, int) {
	var b []byte
	depth := 0
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			if depth++; depth > 1 {
				b = append(b, c)
			}
		case c == ')':
			if depth--; depth == 0 {
				return strings.TrimSpace(string(b)), i + 1
			}
			b = append(b, c)
		case c == '\\' && i+1 < len(s):
			i++
			b = append(b, s[i])
		default:
			b = append(b, c)
		}
	}
	return strings.TrimSpace(string(b)), i
}

// firstToken is the first word of a field without its comments.
func firstToken(s string) string {
	t := tokenizer{s: s}
	return t.until("; ")
}

// tokens are the words of a list with commas, as Content-Language is one.
func tokens(s string) (list []string) {
	for t := (tokenizer{s: s}); t.i < len(s) && len(list) < maxParams; t.i++ {
		if w := t.until(","); w != "" {
			list = append(list, w)
		}
	}
	return list
}

// Lookup finds a parameter, its name in lower case, and decodes it by RFC 2231 section
// 4, or by RFC 2047, which is not allowed there and common.
func Lookup(params []Param, name string) (value string, ok bool) {
	for _, p := range params {
		n, encoded := strings.CutSuffix(p.Name, "*")
		switch {
		case !equalFold(n, name):
		case encoded:
			return decodeExtended(p.Value), true
		case strings.Contains(p.Value, "=?") && name != "boundary":
			return DecodeHeader(p.Value), true
		default:
			return p.Value, true
		}
	}
	return "", false
}

// decodeExtended decodes charset'language'text%20with%20octets.
func decodeExtended(s string) string {
	charset, rest, ok := strings.Cut(s, "'")
	_, text, ok2 := strings.Cut(rest, "'")
	if !ok || !ok2 {
		charset, text = "", s
	}
	b := unpercent(text)
	if charset == "" && utf8.Valid(b) {
		return string(b)
	}
	return string(toUTF8(b, charset))
}

func unpercent(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex[s[i+1]], unhex[s[i+2]]; hi < 16 && lo < 16 {
				b = append(b, hi<<4|lo)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return b
}
