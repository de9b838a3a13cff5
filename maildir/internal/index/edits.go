package index

import (
	"encoding/binary"
	"slices"
)

// edit is what changed of a message whose base stays: what parts does not name is as
// it was.
type edit struct {
	uid   uint32
	parts uint8

	// editState
	flags  uint32
	shelf  uint8
	text   string // of the name, after its base
	modSeq uint64

	size     int64  // editSize
	received int64  // editReceived
	saved    uint32 // editSaved
	cached   uint64 // editCached
}

const (
	editState = 1 << iota
	editSize
	editReceived
	editSaved
	editCached
	editSame // in a file: editState, with what the edit before it in the record has
	editEnd
)

const editsEach = 2048 // edits in a record, at most

// editOf returns what makes is of was, if an edit can say it.
func editOf(was, is *Entry) (ed edit, ok bool) {
	if was.Name[:was.Base] != is.Name[:is.Base] {
		return ed, false
	}
	ed.uid = is.UID
	if was.Flags != is.Flags || was.Shelf != is.Shelf || was.Name != is.Name || was.ModSeq != is.ModSeq {
		ed.parts |= editState
		ed.flags, ed.shelf, ed.text, ed.modSeq = is.Flags, is.Shelf, is.Name[is.Base:], is.ModSeq
	}
	if ed.size = is.Size; was.Size != is.Size {
		ed.parts |= editSize
	}
	if ed.received = is.Received; was.Received != is.Received {
		ed.parts |= editReceived
	}
	if ed.saved = is.Saved; was.Saved != is.Saved {
		ed.parts |= editSaved
	}
	if ed.cached = is.Cached; was.Cached != is.Cached {
		ed.parts |= editCached
	}
	return ed, true
}

// apply changes a message. Its name is kept in names.
func (ed *edit) apply(e *Entry, names *nameStore) {
	if ed.parts&editState != 0 {
		if e.Name[e.Base:] != ed.text {
			e.Name = names.join(e.Name[:e.Base], ed.text)
		}
		e.Flags, e.Shelf, e.ModSeq = ed.flags, ed.shelf, ed.modSeq
	}
	if ed.parts&editSize != 0 {
		e.Size = ed.size
	}
	if ed.parts&editReceived != 0 {
		e.Received = ed.received
	}
	if ed.parts&editSaved != 0 {
		e.Saved = ed.saved
	}
	if ed.parts&editCached != 0 {
		e.Cached = ed.cached
	}
}

func (ed *edit) sameState(other *edit) bool {
	return ed.flags == other.flags && ed.shelf == other.shelf && ed.text == other.text && ed.modSeq == other.modSeq
}

// edits writes what changed of messages: two octets for each of many that get the
// same flags.
func (b *builder) edits(edits []edit) {
	for part := range slices.Chunk(edits, editsEach) {
		b.begin(editRecord)
		var last *edit // that has a state
		var uid uint32
		for i := range part {
			ed := &part[i]
			b.buf = binary.AppendUvarint(b.buf, uint64(ed.uid-uid))
			uid = ed.uid
			parts := ed.parts
			if parts&editState != 0 && last != nil && ed.sameState(last) {
				parts ^= editState | editSame
			}
			b.buf = append(b.buf, parts)
			if parts&editState != 0 {
				b.buf = binary.AppendUvarint(b.buf, uint64(ed.flags))
				b.buf = append(b.buf, ed.shelf, byte(len(ed.text)))
				b.buf = append(b.buf, ed.text...)
				b.buf = binary.AppendUvarint(b.buf, ed.modSeq)
				last = ed
			}
			if parts&editSize != 0 {
				b.buf = binary.AppendUvarint(b.buf, uint64(ed.size+1))
			}
			if parts&editReceived != 0 {
				b.buf = binary.AppendUvarint(b.buf, uint64(ed.received))
			}
			if parts&editSaved != 0 {
				b.buf = binary.AppendUvarint(b.buf, uint64(ed.saved))
			}
			if parts&editCached != 0 {
				b.buf = binary.AppendUvarint(b.buf, ed.cached)
			}
		}
		b.end()
	}
}

// readEdits appends the edits of a record's content to into.
func readEdits(b []byte, into []edit) ([]edit, error) {
	c := cursor{b: b}
	var last edit
	var uid uint32
	for c.more() {
		uid = c.above(uid)
		ed := edit{uid: uid, parts: c.octet()}
		if ed.parts >= editEnd {
			return into, damaged("an edit of UID %d makes no sense", uid)
		}
		switch {
		case ed.parts&editSame != 0:
			ed.flags, ed.shelf, ed.text, ed.modSeq = last.flags, last.shelf, last.text, last.modSeq
			ed.parts ^= editSame | editState
			if last.parts == 0 || ed.parts&editState == 0 {
				return into, damaged("an edit of UID %d is like none", uid)
			}
		case ed.parts&editState != 0:
			ed.flags, ed.shelf = c.small(), c.octet()
			ed.text, ed.modSeq = string(c.text()), c.number()
			if err := checkNames(ed.text); err != nil || ed.shelf > 1 {
				return into, damaged("an edit of UID %d has an odd name", uid)
			}
			last = ed
		}
		if ed.parts&editSize != 0 {
			ed.size = int64(c.number()) - 1
		}
		if ed.parts&editReceived != 0 {
			ed.received = int64(c.number())
		}
		if ed.parts&editSaved != 0 {
			ed.saved = c.small()
		}
		if ed.parts&editCached != 0 {
			ed.cached = c.number()
		}
		if c.odd {
			return into, errOdd
		}
		if ed.size < -1 {
			return into, damaged("an edit of UID %d has the size %d", uid, ed.size)
		}
		into = append(into, ed)
	}
	return into, nil
}
