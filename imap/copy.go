package imap

import (
	"errors"
	"fmt"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// copyMessages is COPY and UID COPY (RFC 9051 section 6.4.7).
func (s *session) copyMessages(p *wire.Parser) error {
	uids, dst, err := s.transfer(p)
	if err != nil {
		return err
	}
	copied, err := mailparts.Copy(s.ctx, s.box.mb, uids, dst)
	if err != nil {
		return tryCreate(err)
	}
	s.code = copyUID(copied)
	return nil
}

// move is MOVE and UID MOVE (RFC 6851, RFC 9051 section 6.4.8). What the copies are
// called is told before the messages are told to be gone, and when only some of them are.
func (s *session) move(p *wire.Parser) error {
	uids, dst, err := s.transfer(p)
	if err != nil {
		return err
	}
	if s.box.readOnly {
		return mailparts.ErrReadOnly
	}
	copied, err := mailparts.Move(s.ctx, s.box.mb, uids, dst)
	if code := copyUID(copied); code != "" {
		s.out.Print("* OK [", code, "] Moved\r\n")
	}
	s.tellRemoved()
	return tryCreate(err)
}

// transfer reads what is to go where.
func (s *session) transfer(p *wire.Parser) (uids mailparts.UIDSet, dst mailparts.Mailbox, err error) {
	p.SP()
	set := p.Set()
	p.SP()
	name := s.mailboxName(p)
	if err = p.End(); err != nil {
		return nil, nil, err
	}
	if uids, err = s.uidSet(set); err != nil {
		return nil, nil, err
	}
	if !s.byUID && len(s.box.gone.Intersect(uids)) > 0 {
		return nil, nil, errExpunged
	}
	if dst, err = s.store.Mailbox(s.ctx, s.existing(name)); err != nil {
		return nil, nil, tryCreate(err)
	}
	return uids, dst, nil
}

// tryCreate tells the client that the mailbox that it names could be made (RFC 9051
// section 7.1).
func tryCreate(err error) error {
	if errors.Is(err, mailparts.ErrNoMailbox) {
		return &coded{"TRYCREATE", err}
	}
	return err
}

// copyUID is the response code of RFC 4315 section 3; empty if nothing was copied.
func copyUID(c mailparts.Copied) string {
	if len(c.From) == 0 {
		return ""
	}
	return fmt.Sprintf("COPYUID %d %v %v", c.To.UIDValidity, c.From, c.To.UIDs)
}
