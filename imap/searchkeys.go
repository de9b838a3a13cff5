package imap

import (
	"math"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

func flagKey(flag mailparts.Flag, has bool) readKey {
	return func(*programParser) searchKey {
		k := searchKey{kind: keyFlag, flag: flag}
		if !has {
			return *not(&k)
		}
		return k
	}
}

func keywordKey(has bool) readKey {
	return func(p *programParser) searchKey {
		p.SP()
		return flagKey(mailparts.Flag(p.Atom()), has)(p)
	}
}

// recentKey is RECENT (RFC 3501 section 6.4.4).
func (p *programParser) recentKey() searchKey {
	if p.recent == nil {
		uids := p.s.box.view.uids.Intersect(p.s.box.recent)
		p.recent = &uids
	}
	return searchKey{kind: keySet, uids: *p.recent}
}

// savedKey is "$".
func (p *programParser) savedKey() searchKey {
	if p.saved == nil {
		uids := p.s.savedUIDs()
		p.saved = &uids
	}
	return searchKey{kind: keySet, uids: *p.saved}
}

func (p *programParser) uidKey() searchKey {
	p.SP()
	set := p.Set()
	if set.Saved {
		return p.savedKey()
	}
	return searchKey{kind: keySet, uids: uidRanges(set.Resolve(uint32(p.s.box.view.last())))}
}

func sizeKey(o order) readKey {
	return func(p *programParser) searchKey {
		p.SP()
		return searchKey{kind: keySize, n: int64(p.Number64()), order: o}
	}
}

// dateKey is of the days before, on and since a date, which is one of the latter.
func dateKey(kind keyKind, o order) readKey {
	return func(p *programParser) searchKey {
		p.SP()
		n := day(p.Date())
		if o == above {
			n--
		}
		return searchKey{kind: kind, n: n, order: o}
	}
}

// ageKey is OLDER and YOUNGER, of which both have the second that is between them.
func ageKey(o order) readKey {
	return func(p *programParser) searchKey {
		p.SP()
		n := int64(p.NZNumber())
		return searchKey{kind: keyAge, n: n - int64(o), order: o}
	}
}

// modSeqKey is MODSEQ, to which the name of a metadata item makes no difference: all
// items of a message have one mod-sequence.
func (p *programParser) modSeqKey() searchKey {
	p.SP()
	if p.Peek() == '"' {
		p.String()
		p.SP()
		switch p.Word() {
		case "PRIV", "SHARED", "ALL":
		default:
			p.Fail(wire.Error("Expected priv, shared or all"))
		}
		p.SP()
	}
	n := p.Number64()
	if p.Err() == nil && p.s.box.told.HighestModSeq == 0 {
		p.Fail(errNoModSeq)
	}
	p.q.marks = new(modMarks)
	return searchKey{kind: keyModSeq, n: int64(min(n, math.MaxInt64))}
}

func idKey(kind keyKind) readKey {
	return func(p *programParser) searchKey {
		p.SP()
		return searchKey{kind: kind, id: string(p.AString())}
	}
}

func fieldKey(name string) readKey {
	return func(p *programParser) searchKey { return p.textKey(mailparts.InHeader, name) }
}

func (p *programParser) headerKey() searchKey {
	p.SP()
	return p.textKey(mailparts.InHeader, string(p.AString()))
}

// textKey reads the text that is to be found.
func (p *programParser) textKey(in mailparts.TextIn, field string) searchKey {
	t := newTextKey(in, field, p.text())
	if t.cost() >= ofHeader {
		if p.texts++; p.texts > maxTextKeys {
			p.Fail(errTooComplex)
		}
	}
	return searchKey{kind: keyText, text: t}
}

func newTextKey(in mailparts.TextIn, field, text string) *textKey {
	t := &textKey{TextSearch: mailparts.TextSearch{In: in, Field: field, Text: text}, matcher: mime.NewMatcher(text)}
	t.place()
	return t
}
