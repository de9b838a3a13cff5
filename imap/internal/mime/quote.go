package mime

import (
	"unicode/utf8"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// The classes of strings, by what a quoted one can be.
type class uint8

const (
	usASCII  class = iota
	eightBit       // has octets beyond US-ASCII
	unquoted       // has NUL, CR or LF
)

func classify[T []byte | string](s T) (c class) {
	for i := range len(s) {
		switch {
		case s[i] >= 0x80:
			c = eightBit
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
	return wire.AppendString(b, s, utf8Quoted)
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
	return wire.AppendString(b, s, utf8Quoted)
}
