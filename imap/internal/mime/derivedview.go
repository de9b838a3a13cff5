package mime

import (
	"encoding/binary"
	"iter"
	"strings"
	"time"
	"unsafe"
)

// Derived is a view of what Encode wrote. It shares its octets, and nothing in them
// makes it panic: what is damaged reads as something else, or as nothing.
type Derived struct {
	b     []byte
	flags byte
	at    [items + 1]uint32 // where each item begins in b
}

// View looks at what Encode wrote. It reports false if that was not of this version, or
// is damaged so that it cannot be told apart.
func View(b []byte) (d Derived, ok bool) {
	if len(b) < 2 || b[0] != derivedVersion || len(b) > 1<<30 {
		return Derived{}, false
	}
	d.flags = b[1]
	rest := b[2:]
	total := uint64(0)
	for i := range items {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(b)) {
			return Derived{}, false
		}
		rest = rest[size:]
		total += n
		d.at[i+1] = uint32(total)
	}
	if total != uint64(len(rest)) {
		return Derived{}, false
	}
	d.b = rest
	return d, true
}

func (d *Derived) item(i int) []byte { return d.b[d.at[i]:d.at[i+1]:d.at[i+1]] }

// text is an item without a copy of it.
func (d *Derived) text(i int) string {
	b := d.item(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (d *Derived) rendered(i int, utf8 bool) []byte {
	if utf8 && d.at[i+1] < d.at[i+2] { // the UTF-8 form, which is the next
		i++
	}
	return d.item(i)
}

// Envelope returns what AppendEnvelope appends.
func (d *Derived) Envelope(utf8 bool) []byte { return d.rendered(itemEnvelope, utf8) }

// Body returns what AppendBodyStructure appends for BODY.
func (d *Derived) Body(utf8 bool) []byte { return d.rendered(itemBody, utf8) }

// BodyStructure returns what AppendBodyStructure appends for BODYSTRUCTURE.
func (d *Derived) BodyStructure(utf8 bool) []byte { return d.rendered(itemStructure, utf8) }

// Date returns when the message was sent, by its header and in the sender's zone. It
// reports false if the header does not tell.
func (d *Derived) Date() (time.Time, bool) {
	b := d.item(itemDate)
	sec, n := binary.Varint(b)
	if d.flags&flagDate == 0 || n <= 0 {
		return time.Time{}, false
	}
	zone, n := binary.Varint(b[n:])
	t := time.Unix(sec, 0).UTC()
	if n > 0 && zone != 0 && zone > -24*60 && zone < 24*60 {
		t = t.In(time.FixedZone("", int(zone)*60))
	}
	return t, true
}

// Sent returns the same as seconds since 1970, for sorting without an allocation.
func (d *Derived) Sent() (unix int64, ok bool) {
	unix, n := binary.Varint(d.item(itemDate))
	return unix, d.flags&flagDate != 0 && n > 0
}

// The strings that follow share the octets of the Derived: they are valid as long as
// those do not change.

// Subject returns the Subject, not decoded.
func (d *Derived) Subject() string { return d.text(itemSubject) }

// From returns the mailbox of the first address in From, without its host.
func (d *Derived) From() string { return d.text(itemFrom) }

// To returns the mailbox of the first address in To.
func (d *Derived) To() string { return d.text(itemTo) }

// Cc returns the mailbox of the first address in Cc.
func (d *Derived) Cc() string { return d.text(itemCc) }

// DisplayFrom returns what RFC 5957 sorts by for From: the decoded name, or the address.
func (d *Derived) DisplayFrom() string { return d.text(itemFromName) }

// DisplayTo returns the same for To.
func (d *Derived) DisplayTo() string { return d.text(itemToName) }

// MessageID returns the identifier in the form of MessageIDs, empty if there is none.
func (d *Derived) MessageID() string { return d.text(itemMessageID) }

// References yields the identifiers of the messages before this one in its thread, as
// THREAD=REFERENCES finds them (RFC 5256 section 3), the oldest first.
func (d *Derived) References() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s := d.text(itemReferences); s != "" {
			for id := range strings.SplitSeq(s, "\n") {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// Preview returns the PREVIEW. It reports false if it has to be made of the message,
// see Part.Preview.
func (d *Derived) Preview() (string, bool) { return d.text(itemPreview), d.flags&flagPreview != 0 }
