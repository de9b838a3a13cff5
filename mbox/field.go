package mbox

import (
	"bytes"
	"strconv"
)

// The fields that a scanner looks for. All but the last are the mbox's own: no
// message keeps them, on its way in or out.
const (
	fieldStatus        = iota // "RO": seen, not recent
	fieldXStatus              // "AFDT": answered, flagged, deleted, draft
	fieldXKeywords            // keywords, and spaces for more
	fieldXUID                 // the UID
	fieldXIMAPbase            // in the first message: UIDVALIDITY, last UID, names of keywords
	fieldXIMAP                // the same, in a message that is no mail but holds it (UW-IMAP)
	fieldContentLength        // octets of the body on disk
	fieldXMboxAdded           // what writing added to the message: see added
	fieldMessageID
	numFields
)

// fieldNames are in the order of the constants.
var fieldNames = [numFields]string{
	"Status", "X-Status", "X-Keywords", "X-UID", "X-IMAPbase", "X-IMAP", "Content-Length", "X-Mbox-Added", "Message-ID",
}

// field is a field of a header and where it is: from the first octet of its name to
// behind the LF of its last line.
type field struct {
	start, end int64
	value      []byte // without the space around it; folded lines as they stand
}

// has reports whether the field is there.
func (f *field) has() bool { return f.end > 0 }

// maxValue is how much of a value is kept.
const maxValue = 64 << 10

// field takes the first line of a field. Nil: it is none that is looked for, or
// again one.
func (s *scanner) field(line []byte) *field {
	i := fieldOf(line)
	if i < 0 {
		return nil
	}
	f := &s.m.fields[i]
	if f.has() {
		s.m.again = s.m.again || ownFields.has(i)
		return nil
	}
	f.start, f.end = s.offset(), s.offset()
	s.value = len(s.values)
	s.cur = f
	s.keep(line[len(fieldNames[i])+1:], len(line))
	return f
}

// extend takes another line of a field, or more of a long line.
func (s *scanner) extend(line []byte) {
	if s.cur != nil {
		s.keep(line, len(line))
	}
}

// keep takes a part of the current field, and of its value.
func (s *scanner) keep(value []byte, size int) {
	s.cur.end += int64(size)
	room := maxValue - (len(s.values) - s.value)
	s.values = append(s.values, value[:min(len(value), room)]...)
	s.cur.value = bytes.TrimSpace(s.values[s.value:])
}

// fieldOf returns which of the fields a line begins, or -1.
func fieldOf(line []byte) int {
	switch line[0] | 0x20 {
	case 's', 'x', 'c', 'm':
	default:
		return -1
	}
	for i, name := range fieldNames {
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return i
		}
	}
	return -1
}

// fieldSet is some of the fields.
type fieldSet uint16

// ownFields are the mbox's own.
const ownFields fieldSet = 1<<fieldMessageID - 1

func (s fieldSet) has(i int) bool { return i >= 0 && s&(1<<i) != 0 }

// parseLength parses a Content-Length.
func parseLength(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > 18 || value[0] < '0' || value[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil
}
