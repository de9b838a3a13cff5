package mime

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// isUTF8 reports whether a charset is UTF-8 or a part of it: nothing is decoded then.
func isUTF8(charset string) bool {
	switch len(charset) {
	case 5, 4, 8:
		return equalFold(charset, "utf-8") || equalFold(charset, "utf8") || equalFold(charset, "us-ascii") || equalFold(charset, "ascii")
	}
	return false
}

// charsetDecoder returns what decodes a charset other than UTF-8, or nil if nobody
// knows it.
func charsetDecoder(charset string) transform.Transformer {
	charset = strings.ToLower(strings.TrimSpace(charset))
	switch charset {
	case "utf-7", "unicode-1-1-utf-7", "utf7":
		return new(utf7)
	case "utf-16": // with the mark of its order, or big-endian (RFC 2781 section 4.3)
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()
	case "hz-gb-2312":
		return simplifiedchinese.HZGB2312.NewDecoder()
	}
	if e, err := htmlindex.Get(charset); err == nil && e != encoding.Replacement {
		return e.NewDecoder()
	}
	for _, prefix := range []string{"", "ibm", "cp", "windows-"} {
		n := strings.TrimPrefix(charset, "cp")
		if prefix == "" {
			n = charset
		}
		if e, err := ianaindex.MIME.Encoding(prefix + n); err == nil && e != nil {
			return e.NewDecoder()
		}
	}
	return nil
}

func known(charset string) bool { return isUTF8(charset) || charsetDecoder(charset) != nil }

// toUTF8 decodes octets. Of UTF-8, and of charsets that are not known, what is no UTF-8
// is taken for Windows-1252, which most of it is.
func toUTF8(b []byte, charset string) []byte {
	var t transform.Transformer
	if !isUTF8(charset) {
		t = charsetDecoder(charset)
	}
	if t == nil {
		if utf8.Valid(b) {
			return b
		}
		if isUTF8(charset) && mostlyUTF8(b) {
			return bytes.ToValidUTF8(b, []byte("\uFFFD"))
		}
		t = charmap.Windows1252.NewDecoder()
	}
	out, _, err := transform.Bytes(t, b)
	if err != nil {
		return bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	return out
}

// mostlyUTF8 reports whether some octets beyond US-ASCII are UTF-8: others among them
// are damage then, and no other charset.
func mostlyUTF8(b []byte) bool {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			if r, _ := utf8.DecodeRune(b[i:]); r != utf8.RuneError {
				return true
			}
		}
	}
	return false
}

// NewTextReader returns the text of a part of type text, which r has the body of, as
// UTF-8 for SEARCH: decoded as far as its encoding and charset are known. What claims to
// be UTF-8 and US-ASCII is not looked at.
func NewTextReader(r io.Reader, encoding, charset string) io.Reader {
	if d, err := NewBinaryReader(r, encoding); err == nil {
		r = d
	}
	if !isUTF8(charset) {
		if t := charsetDecoder(charset); t != nil {
			return transform.NewReader(r, t)
		}
	}
	return r
}

// Decode decodes text that is said to be in a charset. It reports false if nobody knows
// the charset, or if the text cannot be in it.
func Decode(text []byte, charset string) (string, bool) {
	if equalFold(charset, "us-ascii") || equalFold(charset, "ascii") {
		for _, c := range text {
			if c >= utf8.RuneSelf {
				return "", false
			}
		}
		return string(text), true
	}
	if isUTF8(charset) {
		return string(text), utf8.Valid(text)
	}
	t := charsetDecoder(charset)
	if t == nil {
		return "", false
	}
	out, _, err := transform.Bytes(t, text)
	return string(out), err == nil
}
