package mime

import (
	"iter"
	"strings"
)

// MessageIDs yields the message identifiers of a field such as References, without
// their angle brackets and in the one form that RFC 5256 section 2.2 wants for
// comparing: without quoting, white space and comments. What is not in angle brackets
// is none.
func MessageIDs(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for t := (tokenizer{s: s}); t.skipTo('<'); {
			t.i++
			if id, ok := t.messageID(); ok && !yield(id) {
				return
			}
		}
	}
}

// messageID reads what follows a "<", up to the ">".
func (t *tokenizer) messageID() (string, bool) {
	start := t.i
	if n := strings.IndexAny(t.s[start:], "> \t\r\n\"(\\<"); n > 0 && t.s[start+n] == '>' {
		t.i = start + n + 1
		return t.s[start : start+n], true
	}
	var b []byte
	for t.i < len(t.s) {
		switch c := t.s[t.i]; c {
		case '>':
			t.i++
			return string(b), len(b) > 0
		case '<': // the one before was not closed
			return "", false
		case ' ', '\t', '\r', '\n':
			t.i++
		case '(':
			_, t.i = comment(t.s, t.i)
		case '"':
			var q string
			q, t.i = quoted(t.s, t.i)
			b = append(b, q...)
		default:
			b = append(b, c)
			t.i++
		}
	}
	return "", false
}
