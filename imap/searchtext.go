package imap

import (
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// textKey is a key for text.
type textKey struct {
	mailparts.TextSearch
	matcher *mime.Matcher
	at      envelopeItem

	// What the store's own search has found, if narrowed: all that match are in may, and
	// nothing else if exact.
	narrowed, exact bool
	may             mailparts.UIDSet
}

// envelopeItem is where an ENVELOPE has a field: its number, 1 for the Date. Of the
// others, which ENVELOPE does not have or not as it was written, it is 0.
type envelopeItem int

// The items of an ENVELOPE in their order (RFC 9051 section 7.5.2).
const (
	envelopeNone envelopeItem = iota
	envelopeDate
	envelopeSubject
	envelopeFrom
	envelopeSender  // From, if there is none
	envelopeReplyTo // the same
	envelopeTo
	envelopeCc
	envelopeBcc
	envelopeInReplyTo
	envelopeMessageID
)

// place finds out whether ENVELOPE has what is looked into. It does not tell an empty
// field from none.
func (t *textKey) place() {
	if t.In != mailparts.InHeader || t.Text == "" {
		return
	}
	t.at = map[string]envelopeItem{
		"subject":     envelopeSubject,
		"from":        envelopeFrom,
		"to":          envelopeTo,
		"cc":          envelopeCc,
		"bcc":         envelopeBcc,
		"in-reply-to": envelopeInReplyTo,
		"message-id":  envelopeMessageID,
	}[strings.ToLower(t.Field)]
}

// cost is what the key costs.
func (t *textKey) cost() cost {
	switch {
	case t.In != mailparts.InHeader && t.Text == "":
		return ofListing
	case t.In != mailparts.InHeader:
		return ofBody
	case t.at != envelopeNone:
		return ofDerived
	}
	return ofHeader
}

// narrow asks the store where the texts may be. Addresses it does not find as we do, who
// look past how they are written.
func (q *query) narrow(uids mailparts.UIDSet) (err error) {
	q.root.texts(func(t *textKey) bool {
		if t.cost() == ofListing || isAddressField(t.Field) {
			return true
		}
		t.may, t.exact, err = mailparts.Search(q.ctx, q.box.mb, uids, t.TextSearch)
		t.narrowed = true
		return err == nil
	})
	return err
}

// textMatches decides on a key for text.
func (q *query) textMatches(t *textKey) (verdict, error) {
	switch {
	case t.cost() == ofListing:
		return yes, nil
	case t.narrowed && !t.may.Contains(q.message.UID):
		return no, nil
	case t.narrowed && t.exact:
		return yes, nil
	}
	var found bool
	var err error
	switch t.cost() {
	case ofDerived:
		found, err = q.inEnvelope(t)
	case ofHeader:
		found, err = q.inHeader(t)
	default:
		found, err = q.inParts(t)
	}
	return verdictOf(found), err
}

// maxEnvelope is the size up to which nothing was cut in an envelope.
const maxEnvelope = 64 << 10

// inEnvelope looks into a field by what is cached of the message.
func (q *query) inEnvelope(t *textKey) (bool, error) {
	if err := q.derive(); err != nil {
		return false, err
	}
	if t.at == envelopeSubject {
		if subject := q.derived.view.Subject(); len(subject) < maxEnvelope {
			return t.matcher.MatchString(mime.DecodeHeader(subject)), nil
		}
		return q.inHeader(t)
	}
	envelope := q.derived.view.Envelope(true)
	if len(envelope) > maxEnvelope {
		return q.inHeader(t)
	}
	p := wire.NewParser(envelope)
	p.Expect('(')
	for range t.at - 1 {
		skipItem(p)
		p.SP()
	}
	text := ""
	switch t.at {
	case envelopeInReplyTo, envelopeMessageID:
		text = mime.DecodeHeader(string(p.NString()))
	default:
		text = addressText(p)
	}
	if p.Err() != nil {
		return false, errDamaged
	}
	return t.matcher.MatchString(text), nil
}

// skipItem passes over an item of an envelope: a string or addresses.
func skipItem(p *wire.Parser) {
	if p.Peek() != '(' {
		p.NString()
		return
	}
	addresses(p, func(_, _, _ []byte) {})
}

// addresses reads the addresses of an envelope.
func addresses(p *wire.Parser, yield func(name, mailbox, host []byte)) {
	if p.TryWord("NIL") {
		return
	}
	p.Expect('(')
	for p.Try('(') {
		name := p.NString()
		p.SP()
		p.NString()
		p.SP()
		mailbox := p.NString()
		p.SP()
		host := p.NString()
		p.Expect(')')
		yield(name, mailbox, host)
	}
	p.Expect(')')
}

// addressText writes addresses as mime.AddressText does.
func addressText(p *wire.Parser) string {
	var b []byte
	between := ""
	addresses(p, func(name, mailbox, host []byte) {
		switch {
		case mailbox == nil: // the end of a group
			b = append(b, ';')
			between = ", "
			return
		case host == nil: // the start of one
			b = append(append(b, between...), mime.DecodeHeader(string(mailbox))...)
			b = append(b, ':')
			between = " "
			return
		}
		b = append(b, between...)
		between = ", "
		if name != nil {
			b = append(append(b, mime.DecodeHeader(string(name))...), " <"...)
		}
		b = append(b, mailbox...)
		if len(host) > 0 {
			b = append(append(b, '@'), host...)
		}
		if name != nil {
			b = append(b, '>')
		}
	})
	return string(b)
}

// inHeader looks into the fields of a name.
func (q *query) inHeader(t *textKey) (bool, error) {
	decode := mime.DecodeHeader
	if isAddressField(t.Field) {
		decode = mime.AddressText
	}
	matches := func(name, value string) bool {
		return strings.EqualFold(name, t.Field) && t.matcher.MatchString(decode(value))
	}
	header, size, err := q.body.readHeader()
	if err != nil {
		return false, err
	}
	if header == nil {
		r, err := q.body.section(mime.Range{Size: size})
		if err != nil {
			return false, err
		}
		return matchFields(r, size, matches)
	}
	for name, value := range mime.Fields(header) {
		if matches(name, value) {
			return true, nil
		}
	}
	return false, nil
}

// inParts looks into the text of the message, for TEXT into all headers too.
func (q *query) inParts(t *textKey) (bool, error) {
	if err := q.derive(); err != nil {
		return false, err
	}
	tree, ok := q.derived.view.Tree()
	if !ok {
		return false, errDamaged
	}
	for part := range tree.Parts() {
		if t.In == mailparts.InText {
			if found, err := q.inPartHeader(part, t); found || err != nil {
				return found, err
			}
		}
		if !part.IsText() {
			continue
		}
		r, err := q.body.section(part.Body)
		if err != nil {
			return false, err
		}
		found, err := t.matcher.Match(mime.NewTextReader(r, part.Encoding, part.Charset()))
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// inPartHeader looks into all fields of a header, as they are read and not as they are
// written.
func (q *query) inPartHeader(part *mime.Part, t *textKey) (bool, error) {
	r, err := q.body.section(part.Header)
	if err != nil {
		return false, err
	}
	return matchFields(r, part.Header.Size, func(name, value string) bool {
		return t.matcher.MatchString(name + ": " + mime.DecodeHeader(value))
	})
}
