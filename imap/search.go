package imap

import (
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// search is SEARCH and UID SEARCH (RFC 9051 section 6.4.4).
func (s *session) search(p *wire.Parser) error {
	p.SP()
	ret := parseReturn(p)
	charset := "UTF-8"
	if p.TryWord("CHARSET") {
		p.SP()
		charset = string(p.AString())
		p.SP()
		if s.enabled.utf8 {
			p.Fail(errCharsetUTF8)
		}
	}
	q := s.parseProgram(p, charset)
	if err := p.End(); err != nil {
		return s.notSaved(ret, err)
	}
	found, err := q.run()
	if err != nil {
		return s.notSaved(ret, err)
	}
	switch {
	case ret.given || s.enabled.rev2:
		s.tellESearch(ret, &answered{uids: found, marks: q.marks})
	default:
		s.tellSearch(found, q.marks)
	}
	if ret.save {
		s.box.saved = ret.saved(found)
	}
	return nil
}

// tellSearch is the SEARCH of IMAP4rev1 (RFC 3501 section 7.2.5), which ends with the
// highest mod-sequence if a key asked for one (RFC 7162 section 3.1.6).
func (s *session) tellSearch(found mailparts.UIDSet, marks *modMarks) {
	s.out.Print("* SEARCH")
	ranges := s.numbers(found)
	for _, r := range ranges {
		for n := uint64(r.First); n <= uint64(r.Last); n++ {
			s.out.Print(" ")
			s.out.Uint(n)
		}
	}
	if marks != nil && len(ranges) > 0 {
		s.out.Print(" (MODSEQ ")
		s.out.Uint(uint64(marks.highest))
		s.out.Print(")")
	}
	s.out.Print("\r\n")
}

// numbers are what the client calls messages: UIDs in the UID form of the command, else
// sequence numbers.
func (s *session) numbers(uids mailparts.UIDSet) []wire.Range {
	if !s.byUID {
		return s.box.view.seqsOf(uids)
	}
	ranges := make([]wire.Range, len(uids))
	for i, r := range uids {
		ranges[i] = wire.Range{First: uint32(r.First), Last: uint32(r.Last)}
	}
	return ranges
}

// number is what the client calls a message.
func (s *session) number(uid mailparts.UID) uint32 {
	if s.byUID {
		return uint32(uid)
	}
	return s.box.view.seq(uid)
}

// modMarks are the mod-sequences that a search which has asked for them tells of (RFC
// 4731 section 3.2): those of the first and the last message, and the highest.
type modMarks struct {
	first, last mailparts.ModSeq
	highest     mailparts.ModSeq
	from, to    mailparts.UID // whose first and last are
}

// note takes a message that was found. They come in any order.
func (k *modMarks) note(m *mailparts.Message) {
	if k.from == 0 || m.UID < k.from {
		k.from, k.first = m.UID, m.ModSeq
	}
	if m.UID > k.to {
		k.to, k.last = m.UID, m.ModSeq
	}
	k.highest = max(k.highest, m.ModSeq)
}

// query is a search that is being made.
type query struct {
	*session
	root  *searchKey
	now   time.Time
	marks *modMarks // nil: no key asked for mod-sequences
	told  time.Time // when the client heard last that the search goes on

	answers bool // the client is answered for each message, and hears so that it goes on

	// Of the message that is being looked at.
	message mailparts.Message
	body    body
	derived derived
	cache   cacheBatch
}
