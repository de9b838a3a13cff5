package mime

import (
	"encoding/binary"
	"strings"
	"sync"
)

// derivedVersion is the first octet of what Encode writes. A change of the format, or
// of what is derived, is a new version: what older programs kept is then derived anew.
const derivedVersion = 2

// The contents of a Derived, in their order.
const (
	itemEnvelope = iota
	itemEnvelopeUTF8
	itemBody
	itemBodyUTF8
	itemStructure
	itemStructureUTF8
	itemTree
	itemDate
	itemSubject
	itemFrom
	itemTo
	itemCc
	itemFromName
	itemToName
	itemMessageID
	itemReferences
	itemPreview
	itemCommon
	items
)

// Flags of a Derived.
const (
	flagDate    = 1 << iota // there is a date
	flagPreview             // there is a preview, though it may be empty
	flagCommon              // the common fields are all there
)

// maxDerivedReferences bounds the identifiers that are kept for THREAD. Of more the
// first is kept, which begins the thread, and the last.
const maxDerivedReferences = 4 << 10

// encodings are room to write items in, before their lengths are known.
var encodings = sync.Pool{New: func() any { return new([]byte) }}

const maxEncodingKept = 64 << 10

// Encode writes all that later commands need of a message, for the store to keep, from
// what Scan returned for it. It is
//
//	version, flags, then the lengths of all items as uvarints, then the items
//
// where the UTF-8 forms are empty if they are the same as the others. See Derived.
func Encode(p *Part) []byte {
	var item [items][]byte
	var flags byte
	e := p.Envelope
	if e == nil {
		e = new(Envelope)
	}
	pooled := encodings.Get().(*[]byte)
	room := (*pooled)[:0]
	take := func(i int, grown []byte) { item[i], room = grown[len(room):], grown }
	take(itemEnvelope, AppendEnvelope(room, e, false))
	take(itemBody, AppendBodyStructure(room, p, false, false))
	take(itemStructure, AppendBodyStructure(room, p, true, false))
	if p.eightBit {
		item[itemEnvelopeUTF8] = unlessEqual(AppendEnvelope(nil, e, true), item[itemEnvelope])
		item[itemBodyUTF8] = unlessEqual(AppendBodyStructure(nil, p, false, true), item[itemBody])
		item[itemStructureUTF8] = unlessEqual(AppendBodyStructure(nil, p, true, true), item[itemStructure])
	}
	take(itemTree, appendTree(room, p))
	if s, ok := e.Get(Date); ok {
		if t, ok := ParseDate(s); ok {
			flags |= flagDate
			_, zone := t.Zone()
			item[itemDate] = binary.AppendVarint(binary.AppendVarint(nil, t.Unix()), int64(zone/60))
		}
	}
	subject, _ := e.Get(Subject)
	item[itemSubject] = []byte(subject)
	item[itemFrom], item[itemFromName] = firstOf(e, From)
	item[itemTo], item[itemToName] = firstOf(e, To)
	item[itemCc], _ = firstOf(e, Cc)
	if s, ok := e.Get(MessageID); ok {
		for id := range MessageIDs(s) {
			item[itemMessageID] = []byte(id)
			break
		}
	}
	item[itemReferences] = []byte(references(e))
	if text, ok := p.Preview(); ok {
		flags |= flagPreview
		item[itemPreview] = []byte(text)
	}
	if p.allCommon {
		flags |= flagCommon
		item[itemCommon] = p.common
	}

	size := 2 + items*binary.MaxVarintLen32
	for _, it := range item {
		size += len(it)
	}
	b := append(make([]byte, 0, size), derivedVersion, flags)
	for _, it := range item {
		b = binary.AppendUvarint(b, uint64(len(it)))
	}
	for _, it := range item {
		b = append(b, it...)
	}
	if *pooled = room; cap(room) <= maxEncodingKept {
		encodings.Put(pooled)
	}
	return b
}

func unlessEqual(b, other []byte) []byte {
	if string(b) == string(other) {
		return nil
	}
	return b
}

// firstOf returns the mailbox of the first address for SORT, and how it is shown for
// SORT=DISPLAY (RFC 5957): its name, or else the address.
func firstOf(e *Envelope, f Field) (mailbox, shown []byte) {
	s, _ := e.Get(f)
	Addresses(s, func(a *Address) bool {
		mailbox = []byte(a.Mailbox)
		switch {
		case a.Name != "":
			shown = []byte(DecodeHeader(a.Name))
		case a.Kind == Mailbox && a.Host != "":
			shown = []byte(a.Mailbox + "@" + a.Host)
		default:
			shown = mailbox
		}
		return false
	})
	return mailbox, shown
}

// references are those that THREAD=REFERENCES goes by (RFC 5256 section 3): of
// References, or else the first of In-Reply-To.
func references(e *Envelope) string {
	var ids []string
	s, _ := e.Get(References)
	for id := range MessageIDs(s) {
		ids = append(ids, strings.ReplaceAll(id, "\n", " "))
	}
	if len(ids) == 0 {
		s, _ := e.Get(InReplyTo)
		for id := range MessageIDs(s) {
			return strings.ReplaceAll(id, "\n", " ")
		}
		return ""
	}
	size, from := len(ids[0]), len(ids)
	for from > 1 && size+len(ids[from-1]) < maxDerivedReferences {
		from--
		size += len(ids[from]) + 1
	}
	return strings.Join(append(ids[:1:1], ids[from:]...), "\n")
}
