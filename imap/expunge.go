package imap

import (
	"strconv"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// expunge is EXPUNGE, and UID EXPUNGE (RFC 9051 section 6.4.3 and 6.4.9, RFC 4315).
func (s *session) expunge(p *wire.Parser) error {
	uids := s.box.view.uids
	if s.byUID {
		p.SP()
		set := p.Set()
		if p.Err() == nil {
			uids, _ = s.uidSet(set) // of UIDs none is wrong
		}
	}
	if err := p.End(); err != nil {
		return err
	}
	if s.box.readOnly {
		return mailparts.ErrReadOnly
	}
	if err := s.box.mb.Expunge(s.ctx, uids, mailparts.FlagDeleted); err != nil {
		return err
	}
	s.tellRemoved()
	return nil
}

// tellRemoved tells at once of what the command has removed, for the mod-sequence of its
// OK (RFC 7162 section 3.2.7).
func (s *session) tellRemoved() {
	before := s.box.view.count
	s.update(true)
	if s.enabled.condstore && s.box.view.count < before && s.box.seen != 0 {
		s.code = "HIGHESTMODSEQ " + strconv.FormatUint(uint64(s.box.seen), 10)
	}
}
