package mime

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// longQuoted is where a quoted string is better a literal: clients have limits on lines.
const longQuoted = 2000

// AppendString appends a string of IMAP: quoted, or a literal where a quoted one may
// not have its octets (RFC 9051 section 4.3). With utf8Quoted a quoted string may have
// UTF-8. NUL, which no string may have, becomes 0x80.
func AppendString(b []byte, s string, utf8Quoted bool) []byte {
	class := classify(s)
	switch {
	case len(s) > longQuoted:
	case class == plain:
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	case class == escaped, class == eightBit && utf8Quoted && utf8.ValidString(s):
		b = append(b, '"')
		for i := range len(s) {
			if s[i] == '"' || s[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, s[i])
		}
		return append(b, '"')
	}
	b = append(b, '{')
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, "}\r\n"...)
	start := len(b)
	b = append(b, s...)
	if strings.IndexByte(s, 0) >= 0 {
		MaskNUL(b[start:])
	}
	return b
}

// MaskNUL makes NUL 0x80, which is what a message's NUL is on the wire.
func MaskNUL(b []byte) {
	for i, c := range b {
		if c == 0 {
			b[i] = 0x80
		}
	}
}

// The classes of strings, by what it takes to quote them.
type class uint8

const (
	plain    class = iota
	escaped        // has " or \
	eightBit       // has octets beyond US-ASCII
	unquoted       // has NUL, CR or LF
)

func classify[T []byte | string](s T) (c class) {
	for i := range len(s) {
		switch {
		case s[i] >= 0x80:
			c = max(c, eightBit)
		case s[i] == '"' || s[i] == '\\':
			c = max(c, escaped)
		case s[i] == 0 || s[i] == '\r' || s[i] == '\n':
			return unquoted
		}
	}
	return c
}

// appendText appends text in which a reader decodes the words of RFC 2047.
func appendText(b []byte, s string, utf8Quoted bool) []byte {
	if !utf8Quoted && classify(s) == eightBit && utf8.ValidString(s) {
		s = encodeWords(s)
	}
	return AppendString(b, s, utf8Quoted)
}

func appendTextOrNIL(b []byte, s string, utf8Quoted bool) []byte {
	if s == "" {
		return append(b, "NIL"...)
	}
	return appendText(b, s, utf8Quoted)
}

func appendOrNIL(b []byte, s string, utf8Quoted bool) []byte {
	if s == "" {
		return append(b, "NIL"...)
	}
	return AppendString(b, s, utf8Quoted)
}
