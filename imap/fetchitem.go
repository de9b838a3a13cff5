package imap

import (
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// itemKind is what FETCH can be asked for.
type itemKind uint8

const (
	itemFlags itemKind = iota
	itemUID
	itemInternalDate
	itemSize
	itemEnvelope
	itemBody          // BODY
	itemBodyStructure // BODYSTRUCTURE
	itemSection       // BODY[…], BINARY[…], RFC822…
	itemModSeq        // RFC 7162
	itemEmailID       // RFC 8474
	itemThreadID
	itemSaveDate // RFC 8514
	itemPreview  // RFC 8970
)

// fetchItem is one of the items of a FETCH.
type fetchItem struct {
	kind    itemKind
	section *section
	lazy    bool // PREVIEW (LAZY)

	// Of the message that is being answered for, by measurePreview.
	text []byte // nil: NIL
}

// plainItems are the items that are one word.
var plainItems = map[string]itemKind{
	"FLAGS": itemFlags, "UID": itemUID, "INTERNALDATE": itemInternalDate, "RFC822.SIZE": itemSize,
	"ENVELOPE": itemEnvelope, "BODY": itemBody, "BODYSTRUCTURE": itemBodyStructure, "MODSEQ": itemModSeq,
	"EMAILID": itemEmailID, "THREADID": itemThreadID, "SAVEDATE": itemSaveDate, "PREVIEW": itemPreview,
}

// macros stand for several items (RFC 9051 section 6.4.5).
var macros = map[string][]itemKind{
	"ALL":  {itemFlags, itemInternalDate, itemSize, itemEnvelope},
	"FAST": {itemFlags, itemInternalDate, itemSize},
	"FULL": {itemFlags, itemInternalDate, itemSize, itemEnvelope, itemBody},
}

// maxItems bounds the items of one FETCH.
const maxItems = 200

// parseItems reads a macro, an item, or items in parentheses.
func parseItems(p *wire.Parser) (items []fetchItem) {
	if p.Peek() != '(' {
		word := itemWord(p)
		if kinds, ok := macros[word]; ok {
			for _, k := range kinds {
				items = append(items, fetchItem{kind: k})
			}
			return items
		}
		return []fetchItem{parseItem(p, word)}
	}
	p.List(func() {
		if len(items) == maxItems {
			p.Fail(wire.Error("Too many items"))
			return
		}
		items = append(items, parseItem(p, itemWord(p)))
	})
	if len(items) == 0 && p.Err() == nil {
		p.Fail(wire.Error("Expected an item"))
	}
	return items
}

// itemWord reads the word that an item begins with, up to "[".
func itemWord(p *wire.Parser) string { return strings.ToUpper(string(p.Until("[ ()"))) }

func parseItem(p *wire.Parser, word string) fetchItem {
	if kind, ok := plainItems[word]; ok && !(word == "BODY" && p.Peek() == '[') {
		it := fetchItem{kind: kind}
		if kind == itemPreview && p.TryText(" (LAZY)") {
			it.lazy = true
		}
		return it
	}
	it := fetchItem{kind: itemSection, section: parseSection(p, word)}
	if it.section == nil && p.Err() == nil {
		p.Fail(wire.Error("Unknown item of FETCH"))
	}
	return it
}

// want is what the item needs of the store's listing.
func (it *fetchItem) want() mailparts.Field {
	switch it.kind {
	case itemInternalDate, itemSaveDate:
		return mailparts.WantDates
	case itemSize, itemSection:
		return mailparts.WantSize
	case itemEmailID, itemThreadID:
		return mailparts.WantIDs
	}
	return 0
}

// needsTree reports whether the item needs what a scan of the message finds.
func (it *fetchItem) needsTree() bool {
	switch it.kind {
	case itemEnvelope, itemBody, itemBodyStructure, itemPreview:
		return true
	case itemSection:
		return it.section.needsTree()
	}
	return false
}

// marks reports whether the item sets \Seen.
func (it *fetchItem) marks() bool { return it.section != nil && !it.section.peek }

// item writes one item of f.m.
func (f *fetching) item(it *fetchItem) error {
	m := f.m
	switch it.kind {
	case itemFlags:
		f.flagsItem(m)
	case itemUID:
		f.out.Print("UID ")
		f.out.Uint(uint64(m.UID))
	case itemInternalDate:
		f.out.Print("INTERNALDATE ")
		f.out.DateTime(m.Received)
	case itemSize:
		f.out.Print("RFC822.SIZE ")
		f.out.Uint(uint64(m.Size))
	case itemEnvelope:
		f.out.Print("ENVELOPE ")
		f.out.Write(f.derived.view.Envelope(f.out.UTF8))
	case itemBody:
		f.out.Print("BODY ")
		f.out.Write(f.derived.view.Body(f.out.UTF8))
	case itemBodyStructure:
		f.out.Print("BODYSTRUCTURE ")
		f.out.Write(f.derived.view.BodyStructure(f.out.UTF8))
	case itemSection:
		return f.sendSection(it.section)
	case itemModSeq:
		f.modSeqItem(m)
	case itemEmailID:
		f.idItem("EMAILID ", m.ID)
	case itemThreadID:
		f.idItem("THREADID ", m.ThreadID)
	case itemSaveDate:
		f.out.Print("SAVEDATE ")
		if m.Saved.IsZero() {
			f.out.Print("NIL")
		} else {
			f.out.DateTime(m.Saved)
		}
	case itemPreview:
		f.out.Print("PREVIEW ")
		f.out.NString(it.text)
	}
	return nil
}

// modSeqItem writes MODSEQ. In a mailbox that keeps none it is 0.
func (s *session) modSeqItem(m *mailparts.Message) {
	s.out.Print("MODSEQ (")
	s.out.Uint(uint64(m.ModSeq))
	s.out.Print(")")
}

// idItem writes an object's id (RFC 8474 section 5).
func (f *fetching) idItem(name, id string) {
	if id = objectID(id); id == "" {
		f.out.Print(name, "NIL")
		return
	}
	f.out.Print(name, "(", id, ")")
}

// measurePreview makes the PREVIEW of f.m (RFC 8970), of the message if what is derived of it
// does not suffice.
func (f *fetching) measurePreview(it *fetchItem) error {
	text, ok := f.derived.view.Preview()
	if !ok && it.lazy {
		it.text = nil
		return nil
	}
	if !ok {
		text = ""
		if tree, whole := f.parts(); whole {
			if part := tree.PreviewPart(); part != nil {
				r, err := f.body.section(part.Body)
				if err == nil {
					text, err = mime.ReadPreview(r, part)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	it.text = []byte(text)
	return nil
}
