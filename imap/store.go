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
	if s.box.readOnly {
		return mailparts.ErrReadOnly
	}
	stale := uids // no message is unchanged since 0 (RFC 7162 section 3.1.3)
	if !conditional || change.UnchangedSince != 0 {
		if stale, err = s.apply(uids, change, silent); err != nil {
			return err
		}
	}
	return s.concludeStore(uids, stale)
}

// concludeStore makes out the tagged response: which messages were left alone, and whether
// others are no longer there. One code is all that it has (RFC 7162 section 3.1.3).
func (s *session) concludeStore(uids, stale mailparts.UIDSet) error {
	missing := false
	if !s.byUID {
		s.update(false) // for what others have expunged by now
		missing = len(s.box.gone.Intersect(uids)) > 0
	}
	s.modified(stale.Subtract(s.box.gone))
	switch {
	case missing && s.code != "":
		return &refusal{s.code, errExpunged.text}
	case missing:
		return errExpunged
	}
	return nil
}

// apply changes flags and tells the client what it asked to be told. The stale are those
// that a condition has left alone.
func (s *session) apply(uids mailparts.UIDSet, c mailparts.FlagChange, silent bool) (stale mailparts.UIDSet, err error) {
	var at mailparts.ModSeq
	var others mailparts.UIDSet
	if silent {
		at, others, stale, err = s.applySilently(uids, c)
	} else {
		at, stale, err = s.box.mb.SetFlags(s.ctx, uids, c)
	}
	if err != nil {
		return nil, err
	}
	uids = uids.Subtract(stale).Subtract(others)
	if !silent || s.enabled.condstore && at != 0 {
		if err := s.tellStored(uids, at, silent); err != nil {
			return nil, err
		}
	}
	s.box.hush(uids, at)
	return stale, nil
}

// applySilently changes flags of messages that nobody else has changed unbeknown to the
// client apart from those of the others: of these update has to tell all, because to be
// silent about one change would hide the other.
func (s *session) applySilently(uids mailparts.UIDSet, c mailparts.FlagChange) (at mailparts.ModSeq, others, stale mailparts.UIDSet, err error) {
	b := s.box
	if b.prints != nil {
		if err = b.foresee(s.ctx, uids, c); err == nil {
			at, stale, err = b.mb.SetFlags(s.ctx, uids, c)
		}
		return at, nil, stale, err
	}
	if c.UnchangedSince != 0 && c.UnchangedSince <= b.seen {
		at, stale, err = b.mb.SetFlags(s.ctx, uids, c)
		return at, nil, stale, err
	}
	known := c
	known.UnchangedSince = b.seen
	if at, others, err = b.mb.SetFlags(s.ctx, uids, known); err == nil && len(others) > 0 {
		_, stale, err = b.mb.SetFlags(s.ctx, others, c)
	}
	return at, others, stale, err
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
			s.box.tell(&m)
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
