package mime

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendHTMLText appends the text of HTML, as much of it as a preview needs: without
// tags, comments, and what is not shown. Tags that end a line are a space. It fails for
// nothing, and goes over each octet once.
func appendHTMLText(dst, src []byte) []byte {
	for len(src) > 0 {
		i := bytes.IndexAny(src, "<&")
		if i < 0 {
			return append(dst, src...)
		}
		dst = append(dst, src[:i]...)
		if src = src[i:]; src[0] == '&' {
			var n int
			dst, n = appendEntity(dst, src)
			src = src[n:]
			continue
		}
		name, n := cutTag(src)
		switch {
		case n == 0: // a "<" that begins no tag
			dst = append(dst, '<')
			src = src[1:]
			continue
		case hidden[name]:
			n = hiddenEnd(src, n, name)
		case !inline[name]:
			dst = append(dst, ' ')
		}
		src = src[n:]
	}
	return dst
}

// hidden are elements whose content is not shown; inline those that may be within a
// word.
var (
	hidden = map[string]bool{"script": true, "style": true, "head": true, "title": true, "template": true, "noscript": true}
	inline = map[string]bool{"!": true, "a": true, "abbr": true, "b": true, "big": true, "code": true, "em": true, "font": true,
		"i": true, "ins": true, "small": true, "span": true, "strong": true, "sub": true, "sup": true, "u": true, "wbr": true}
)

// cutTag returns a tag's name in lower case, without "/", and how long the tag is; zero
// for what is none. A comment is "!".
func cutTag(s []byte) (name string, n int) {
	if bytes.HasPrefix(s, []byte("<!--")) {
		if end := bytes.Index(s[4:], []byte("-->")); end >= 0 {
			return "!", 4 + end + 3
		}
		return "!", len(s)
	}
	i := 1
	if i < len(s) && s[i] == '/' {
		i++
	}
	if i >= len(s) || s[i] != '!' && s[i] != '?' && !isLetter(s[i]) {
		return "", 0
	}
	start := i
	for i < len(s) && (isLetter(s[i]) || '0' <= s[i] && s[i] <= '9') {
		i++
	}
	if i-start <= len("blockquote") {
		name = strings.ToLower(string(s[start:i]))
	}
	if start > 1 && hidden[name] {
		name = "" // the end of what was hidden hides nothing
	}
	quote := byte(0)
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '>':
			return name, i + 1
		case (c == '"' || c == '\'') && s[i-1] == '=':
			quote = c
		}
	}
	return name, len(s)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// hiddenEnd returns where the element ends that a tag of n octets begins.
func hiddenEnd(s []byte, n int, name string) int {
	for i := n; i < len(s); {
		next := bytes.Index(s[i:], []byte("</"))
		if next < 0 {
			break
		}
		i += next + 2
		if len(s)-i >= len(name) && equalFold(s[i:i+len(name)], name) {
			_, tag := cutTag(s[i-2:])
			return i - 2 + tag
		}
	}
	return len(s)
}

var entities = map[string]rune{
	"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\'', "nbsp": ' ', "shy": 0, "zwnj": 0, "zwj": 0,
	"ndash": '–', "mdash": '—', "hellip": '…', "bull": '•', "middot": '·', "laquo": '«', "raquo": '»',
	"lsquo": '‘', "rsquo": '’', "ldquo": '“', "rdquo": '”', "bdquo": '„', "sbquo": '‚', "euro": '€', "pound": '£',
	"copy": '©', "reg": '®', "trade": '™', "sect": '§', "deg": '°', "times": '×', "iexcl": '¡', "iquest": '¿',
	"auml": 'ä', "ouml": 'ö', "uuml": 'ü', "Auml": 'Ä', "Ouml": 'Ö', "Uuml": 'Ü', "szlig": 'ß',
	"aacute": 'á', "eacute": 'é', "iacute": 'í', "oacute": 'ó', "uacute": 'ú', "Eacute": 'É', "ntilde": 'ñ',
	"agrave": 'à', "egrave": 'è', "igrave": 'ì', "ograve": 'ò', "ugrave": 'ù', "Agrave": 'À',
	"acirc": 'â', "ecirc": 'ê', "icirc": 'î', "ocirc": 'ô', "ucirc": 'û', "ccedil": 'ç', "iuml": 'ï', "euml": 'ë',
	"atilde": 'ã', "otilde": 'õ', "aring": 'å', "Aring": 'Å', "aelig": 'æ', "AElig": 'Æ', "oslash": 'ø', "Oslash": 'Ø',
}

// appendEntity appends what the "&" at the beginning stands for, and returns how many
// octets that took.
func appendEntity(dst, s []byte) ([]byte, int) {
	const longest = 10
	end := bytes.IndexByte(s[:min(len(s), longest)], ';')
	if end < 2 {
		return append(dst, '&'), 1
	}
	name := string(s[1:end])
	r, ok := entities[name]
	if digits, numeric := strings.CutPrefix(name, "#"); numeric {
		base := 10
		if d := strings.TrimLeft(digits, "xX"); d != digits {
			digits, base = d, 16
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if r, ok = rune(n), err == nil && utf8.ValidRune(rune(n)); n < ' ' && ok {
			r = ' '
		}
	}
	if !ok {
		return append(dst, '&'), 1
	}
	if r != 0 {
		dst = utf8.AppendRune(dst, r)
	}
	return dst, end + 1
}
