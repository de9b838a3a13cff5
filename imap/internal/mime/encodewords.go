package mime

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// encodeWords encodes the words of valid UTF-8 that are not US-ASCII (RFC 2047). All
// else, encoded words included, stays as it is. A reader drops white space between two
// encoded words, so what is between two goes into one.
func encodeWords(s string) string {
	var b strings.Builder
	for s != "" {
		first := strings.IndexFunc(s, notASCII)
		if first < 0 {
			b.WriteString(s)
			break
		}
		start := strings.LastIndexAny(s[:first], " \t") + 1
		end := runEnd(s, start)
		if before := strings.TrimRight(s[:start], " \t"); strings.HasSuffix(before, "?=") {
			start = len(before)
		}
		if after := strings.TrimLeft(s[end:], " \t"); strings.HasPrefix(after, "=?") {
			end = len(s) - len(after)
		}
		b.WriteString(s[:start])
		if start > 0 && s[start-1] != ' ' && s[start-1] != '\t' {
			b.WriteByte(' ')
		}
		appendWords(&b, s[start:end])
		if s = s[end:]; strings.HasPrefix(s, "=?") {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// runEnd returns where the words end that begin at i and are all to be encoded.
func runEnd(s string, i int) (end int) {
	for i < len(s) {
		word := s[i:]
		if n := strings.IndexAny(word, " \t"); n >= 0 {
			word = word[:n]
		}
		if strings.IndexFunc(word, notASCII) < 0 {
			break
		}
		end = i + len(word)
		i = len(s) - len(strings.TrimLeft(s[end:], " \t"))
	}
	return end
}

func notASCII(r rune) bool { return r >= utf8.RuneSelf }

// appendWords writes text as encoded words of up to 75 octets each (RFC 2047 section
// 2), in the encoding that is shorter.
func appendWords(b *strings.Builder, s string) {
	const octets = 75 - len("=?utf-8?q??=")
	qLen := 0
	for i := range len(s) {
		qLen += qSize(s[i])
	}
	useB := base64.StdEncoding.EncodedLen(len(s)) < qLen
	for first := true; s != ""; first = false {
		n, size := 0, 0
		for n < len(s) {
			_, r := utf8.DecodeRuneInString(s[n:])
			more := 0
			for i := n; i < n+r; i++ {
				more += qSize(s[i])
			}
			if useB && base64.StdEncoding.EncodedLen(n+r) > octets || !useB && size+more > octets {
				break
			}
			n, size = n+r, size+more
		}
		if !first {
			b.WriteByte(' ')
		}
		if useB {
			b.WriteString("=?utf-8?b?")
			b.WriteString(base64.StdEncoding.EncodeToString([]byte(s[:n])))
		} else {
			b.WriteString("=?utf-8?q?")
			for i := range n {
				writeQ(b, s[i])
			}
		}
		b.WriteString("?=")
		s = s[n:]
	}
}

// bareQ reports whether an octet stands for itself in a phrase (RFC 2047 section 5).
func bareQ(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!*+-/", c) >= 0
}

func qSize(c byte) int {
	if bareQ(c) || c == ' ' {
		return 1
	}
	return 3
}

func writeQ(b *strings.Builder, c byte) {
	const hex = "0123456789ABCDEF"
	switch {
	case c == ' ':
		b.WriteByte('_')
	case bareQ(c):
		b.WriteByte(c)
	default:
		b.Write([]byte{'=', hex[c>>4], hex[c&15]})
	}
}
