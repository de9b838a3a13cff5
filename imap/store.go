package imap

import (
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// setFlags is STORE and UID STORE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3).
func (s *session) setFlags(p *wire.Parser) error {
	p.SP()
	set := p.Set()
	p.SP()
	change, conditional := s.storeModifiers(p)
	silent := parseOp(p, &change)
	p.SP()
	change.Flags = parseFlagsBare(p)
	if err := p.End(); err != nil {
		return err
	}
	if err := s.needModSeq(conditional); err != nil {
		return err
	}
	uids, err := s.uidSet(set)
	if err != nil {
		return err
	}
	if conditional {
		s.enableCondstore()
	}
	switch {
	case s.box.readOnly:
		return mailparts.ErrReadOnly
	case conditional && change.UnchangedSince == 0: // which no message is (RFC 7162 section 3.1.3)
		s.modified(uids)
		return nil
	}
	at, stale, err := s.box.mb.SetFlags(s.ctx, uids, change)
	if err != nil {
		return err
	}
	s.modified(stale)
	uids = uids.Subtract(stale)
	if !silent || s.enabled.condstore && at != 0 {
		if err := s.tellStored(uids, at, silent); err != nil {
			return err
		}
	}
	s.box.hush(uids, at)
	if !s.byUID && len(s.box.gone.Intersect(uids)) > 0 {
		return errExpunged
	}
	return nil
}

// storeModifiers reads UNCHANGEDSINCE, if it is there.
func (s *session) storeModifiers(p *wire.Parser) (change mailparts.FlagChange, conditional bool) {
	if p.Peek() != '(' {
		return change, false
	}
	p.List(func() {
		if p.Word() != "UNCHANGEDSINCE" {
			p.Fail(wire.Error("Unknown modifier of STORE"))
		}
		p.SP()
		change.UnchangedSince, conditional = mailparts.ModSeq(p.Number64()), true
	})
	p.SP()
	return change, conditional
}

// parseOp reads "FLAGS", "+FLAGS" or "-FLAGS", with ".SILENT" or without.
func parseOp(p *wire.Parser, change *mailparts.FlagChange) (silent bool) {
	change.Op = mailparts.ReplaceFlags
	switch {
	case p.Try('+'):
		change.Op = mailparts.AddFlags
	case p.Try('-'):
		change.Op = mailparts.RemoveFlags
	}
	word, silent := strings.CutSuffix(p.Word(), ".SILENT")
	if word != "FLAGS" {
		p.Fail(wire.Error("Expected FLAGS"))
	}
	return silent
}

// modified has the OK tell what a conditional STORE has left alone.
func (s *session) modified(uids mailparts.UIDSet) {
	if len(uids) == 0 {
		return
	}
	set := uids.String()
	if !s.byUID {
		set = string(wire.AppendRanges(nil, s.box.view.seqsOf(uids)))
	}
	s.code, s.text = "MODIFIED "+set, "Some messages were changed by others"
}

// tellStored tells the flags that messages have now; silently only the mod-sequences of
// those that have changed.
func (s *session) tellStored(uids mailparts.UIDSet, at mailparts.ModSeq, silent bool) error {
	var q mailparts.Query
	if silent {
		q.Since = at - 1
	}
	f := follower{v: &s.box.view}
	for m, err := range s.box.mb.Messages(s.ctx, uids, q) {
		if err != nil {
			return err
		}
		seq := f.seq(m.UID)
		if seq == 0 || silent && (m.ModSeq != at || at == 0) {
			continue
		}
		if !silent {
			s.tellKeywords(m.Flags)
		}
		s.beginFetch(seq, m.UID)
		if !silent {
			s.flagsItem(&m)
			if s.enabled.condstore && m.ModSeq != 0 {
				s.out.Print(" ")
			}
		}
		if s.enabled.condstore && m.ModSeq != 0 {
			s.modSeqItem(&m)
		}
		s.out.Print(")\r\n")
	}
	return nil
}

// beginFetch begins a FETCH response that nobody has asked for in so many words. With
// CONDSTORE it has the UID (RFC 7162 section 3.2.4).
func (s *session) beginFetch(seq uint32, uid mailparts.UID) {
	s.out.Print("* ")
	s.out.Uint(uint64(seq))
	s.out.Print(" FETCH (")
	if s.byUID || s.enabled.condstore {
		s.out.Print("UID ")
		s.out.Uint(uint64(uid))
		s.out.Print(" ")
	}
}
