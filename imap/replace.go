package imap

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// replace is REPLACE and UID REPLACE (RFC 8508).
func (s *session) replace(p *wire.Parser) error {
	p.SP()
	set := p.Set()
	p.SP()
	name := s.mailboxName(p)
	a := &appending{session: s}
	a.parse(p)
	if err := p.End(); err != nil {
		return err
	}
	if len(set.Ranges) != 1 || set.Ranges[0].First != set.Ranges[0].Last {
		return wire.Error("Expected one message")
	}
	uids, err := s.uidSet(set)
	switch {
	case err != nil:
		return err
	case s.box.readOnly:
		return mailparts.ErrReadOnly
	case uids.Len() != 1 || len(s.box.gone.Intersect(uids)) > 0:
		return errExpunged
	}
	a.replaces = uids[0].First
	placed, err := a.into(name)
	if err != nil {
		return err
	}
	s.out.Print("* OK [", appendUID(placed), "] Replacement is there\r\n")
	if err := s.box.mb.Expunge(s.ctx, uids, ""); err != nil {
		return err
	}
	s.tellRemoved()
	return nil
}
