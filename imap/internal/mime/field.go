package mime

import "bytes"

// field is one of those that a Scan keeps.
type field uint8

const (
	fieldNone field = iota
	fieldDate
	fieldSubject
	fieldFrom
	fieldSender
	fieldReplyTo
	fieldTo
	fieldCc
	fieldBcc
	fieldInReplyTo
	fieldMessageID
	fieldReferences
	fieldContentType // the first of those that are not of an Envelope
	fieldContentID
	fieldContentDescription
	fieldContentEncoding
	fieldContentMD5
	fieldContentDisposition
	fieldContentLanguage
	fieldContentLocation
	fields
)

const envelopeFields = fieldContentType

// isAddresses reports whether a field is a list, which goes on where it is repeated.
func (f field) isAddresses() bool { return f >= fieldFrom && f <= fieldBcc }

// values are what one header has of each field.
type values struct {
	value [fields]string
	has   uint32
	again int // fields that went on with a list
}

// maxAgain bounds the fields that a list is made of.
const maxAgain = 1000

func (v *values) get(f field) string { return v.value[f] }

// wants reports whether a field counts: the first one, or what an address list goes on
// with.
func (v *values) wants(f field) bool {
	return v.has&(1<<f) == 0 || f.isAddresses() && v.again < maxAgain
}

// add takes the value of a field that is wanted.
func (v *values) add(f field, value string) {
	switch {
	case v.has&(1<<f) == 0 || v.value[f] == "":
		v.value[f] = value
	case value != "":
		v.again++
		v.value[f] += ", " + value
	}
	v.has |= 1 << f
}

// fieldOf finds the name that a line of a header begins with. It returns fieldNone
// for one that nobody asks for, and for a line without a colon.
func fieldOf(line []byte) (f field, value []byte) {
	// The names in question begin with these letters and have up to 25.
	if len(line) == 0 {
		return fieldNone, nil
	}
	switch line[0] | 0x20 {
	case 'b', 'c', 'd', 'f', 'i', 'm', 'r', 's', 't':
	default:
		return fieldNone, nil
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return fieldNone, nil
	}
	return fieldNamed(bytes.TrimRight(name, " \t")), value
}

func fieldNamed(name []byte) field {
	is := func(s string) bool { return equalFold(name, s) }
	switch len(name) {
	case 2:
		return pick(is("to"), fieldTo, is("cc"), fieldCc)
	case 3:
		return pick(is("bcc"), fieldBcc, false, 0)
	case 4:
		return pick(is("from"), fieldFrom, is("date"), fieldDate)
	case 6:
		return pick(is("sender"), fieldSender, false, 0)
	case 7:
		return pick(is("subject"), fieldSubject, false, 0)
	case 8:
		return pick(is("reply-to"), fieldReplyTo, false, 0)
	case 10:
		if is("content-id") {
			return fieldContentID
		}
		return pick(is("message-id"), fieldMessageID, is("references"), fieldReferences)
	case 11:
		return pick(is("in-reply-to"), fieldInReplyTo, is("content-md5"), fieldContentMD5)
	case 12:
		return pick(is("content-type"), fieldContentType, false, 0)
	case 16:
		return pick(is("content-language"), fieldContentLanguage, is("content-location"), fieldContentLocation)
	case 19:
		return pick(is("content-description"), fieldContentDescription, is("content-disposition"), fieldContentDisposition)
	case 25:
		return pick(is("content-transfer-encoding"), fieldContentEncoding, false, 0)
	}
	return fieldNone
}

func pick(isA bool, a field, isB bool, b field) field {
	switch {
	case isA:
		return a
	case isB:
		return b
	}
	return fieldNone
}

// equalFold compares octets with lower-case ASCII.
func equalFold[T []byte | string](b T, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
