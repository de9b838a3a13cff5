package imap

import (
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// fetchMods are the modifiers of FETCH (RFC 4466 section 2.4).
type fetchMods struct {
	since    mailparts.ModSeq // CHANGEDSINCE (RFC 7162 section 3.1.4.1); zero: none
	changed  bool             // there is CHANGEDSINCE
	vanished bool             // VANISHED (RFC 7162 section 3.2.6)
	partial  *partialRange    // PARTIAL (RFC 9394 section 3.3)
}

const (
	errVanished badCommand = "VANISHED is for UID FETCH with CHANGEDSINCE, after ENABLE QRESYNC"
	errPartial  badCommand = "PARTIAL is for UID FETCH"
)

// fetchModifiers reads the modifiers, if there are any.
func (s *session) fetchModifiers(p *wire.Parser) (mods fetchMods) {
	if p.Err() != nil || !p.More() {
		return mods
	}
	p.SP()
	p.List(func() {
		switch p.Word() {
		case "CHANGEDSINCE":
			p.SP()
			mods.since, mods.changed = mailparts.ModSeq(p.Number64()), true
		case "VANISHED":
			mods.vanished = true
		case "PARTIAL":
			p.SP()
			mods.partial = parsePartial(p)
		default:
			p.Fail(wire.Error("Unknown modifier of FETCH"))
		}
	})
	switch {
	case mods.vanished && !(mods.changed && s.byUID && s.enabled.qresync):
		p.Fail(errVanished)
	case mods.partial != nil && !s.byUID:
		p.Fail(errPartial)
	}
	return mods
}

// asksModSeq reports whether MODSEQ is among the items.
func asksModSeq(items []fetchItem) bool {
	return slices.ContainsFunc(items, func(it fetchItem) bool { return it.kind == itemModSeq })
}

// narrow applies PARTIAL.
func (m *fetchMods) narrow(uids mailparts.UIDSet) mailparts.UIDSet {
	if m.partial == nil {
		return uids
	}
	return m.partial.of(uids)
}
