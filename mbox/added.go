package mbox

import "bytes"

// added is what a message has on disk only because it had to be written as one of an
// mbox. The field X-Mbox-Added tells it, so that reading can take it off again; a
// message without that field is read as it stands, as Dovecot, UW-IMAP, mutt and
// Python do.
type added uint8

const (
	addedQuotes  added = 1 << iota // a ">" in each line of ">"s and "From "
	addedNewline                   // the LF of the last line
	addedBlank                     // the blank line after the header
	addedStart                     // no octet: the message begins like a line that continues another, the field's
)

var addedWords = [...]string{"quotes", "newline", "blank", "start"}

// append appends the value of the field.
func (a added) append(b []byte) []byte {
	for i, word := range addedWords {
		if a&(1<<i) != 0 {
			if len(b) > 0 && b[len(b)-1] != ' ' {
				b = append(b, ' ')
			}
			b = append(b, word...)
		}
	}
	return b
}

// parseAdded parses the value of the field, and passes over what it does not know.
func parseAdded(value []byte) (a added) {
	value, _, _ = bytes.Cut(value, []byte{'\n'})
	for word := range bytes.FieldsSeq(value) {
		for i, known := range addedWords {
			if string(word) == known {
				a |= 1 << i
			}
		}
	}
	return a
}

// lineEnds is how many LFs are at the end of the message that it does not have.
func (a added) lineEnds() (n int) {
	if a&addedNewline != 0 {
		n++
	}
	if a&addedBlank != 0 {
		n++
	}
	return n
}
