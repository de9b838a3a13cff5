package mime

import "github.com/mailparts/mailparts/imap/internal/wire"

// Envelope has the values of the fields that IMAP's ENVELOPE is made of, and of
// References. They are as the sender wrote them, unfolded and cut at Scanner.MaxValue.
type Envelope struct {
	value [envelopeFields]string
	has   uint32
}

// Field names a field of an Envelope.
type Field field

// The fields of an Envelope, in the order of RFC 9051 section 7.5.2 but for the last
// two, which come before and after Message-ID there.
const (
	Date       = Field(fieldDate)
	Subject    = Field(fieldSubject)
	From       = Field(fieldFrom)
	Sender     = Field(fieldSender)
	ReplyTo    = Field(fieldReplyTo)
	To         = Field(fieldTo)
	Cc         = Field(fieldCc)
	Bcc        = Field(fieldBcc)
	InReplyTo  = Field(fieldInReplyTo)
	MessageID  = Field(fieldMessageID)
	References = Field(fieldReferences) // not in ENVELOPE, but for THREAD
)

// Get returns the value of a field, and whether the header has it.
func (e *Envelope) Get(f Field) (value string, ok bool) {
	return e.value[f], e.has&(1<<f) != 0
}

// AppendEnvelope appends what follows ENVELOPE in a FETCH response (RFC 9051 section
// 7.5.2). Without utf8, which is for a client that enabled UTF8=ACCEPT or IMAP4rev2,
// text with octets beyond US-ASCII becomes encoded words of RFC 2047 if it is valid
// UTF-8. Other such octets go out as they are, as a literal.
func AppendEnvelope(b []byte, e *Envelope, utf8 bool) []byte {
	b = append(b, '(')
	b = e.appendString(b, fieldDate, utf8)
	b = append(b, ' ')
	if s, ok := e.Get(Subject); ok {
		b = appendText(b, s, utf8)
	} else {
		b = append(b, "NIL"...)
	}
	from := len(b)
	b = appendAddresses(append(b, ' '), e.value[fieldFrom], utf8)
	afterFrom := len(b)
	for f := fieldSender; f <= fieldBcc; f++ {
		// RFC 9051: Sender and Reply-To that are absent or empty are From.
		if (f == fieldSender || f == fieldReplyTo) && !hasAddress(e.value[f]) {
			b = append(b, b[from:afterFrom]...)
			continue
		}
		b = appendAddresses(append(b, ' '), e.value[f], utf8)
	}
	b = e.appendString(append(b, ' '), fieldInReplyTo, utf8)
	b = e.appendString(append(b, ' '), fieldMessageID, utf8)
	return append(b, ')')
}

// appendString appends the value of a field that is no text of RFC 2047.
func (e *Envelope) appendString(b []byte, f field, utf8 bool) []byte {
	if e.has&(1<<f) == 0 {
		return append(b, "NIL"...)
	}
	return wire.AppendString(b, e.value[f], utf8)
}

// appendAddresses appends a list of address structures, or NIL for none.
func appendAddresses(b []byte, list string, utf8 bool) []byte {
	start := len(b)
	b = append(b, '(')
	Addresses(list, func(a *Address) bool {
		b = append(b, '(')
		if b = append(appendTextOrNIL(b, a.Name, utf8), ' '); a.Kind != Mailbox {
			b = append(b, "NIL "...)
			if b = append(appendOrNIL(b, a.Mailbox, utf8), " NIL)"...); a.Kind == GroupStart && a.Mailbox == "" {
				b = append(b[:len(b)-len("NIL NIL)")], `"" NIL)`...) // NIL would be the end of a group
			}
			return true
		}
		b = append(appendOrNIL(b, a.Route, utf8), ' ')
		b = append(wire.AppendString(b, orElse(a.Mailbox, missingMailbox), utf8), ' ')
		b = append(wire.AppendString(b, orElse(a.Host, missingHost), utf8), ')')
		return true
	})
	if len(b) == start+1 {
		return append(b[:start], "NIL"...)
	}
	return append(b, ')')
}

// What Dovecot writes in the place of half an address: NIL would say that it is the
// beginning or the end of a group.
const (
	missingMailbox = "MISSING_MAILBOX"
	missingHost    = "MISSING_DOMAIN"
)

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func hasAddress(list string) (found bool) {
	Addresses(list, func(*Address) bool { found = true; return false })
	return found
}
