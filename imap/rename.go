package imap

import (
	"errors"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// rename is RENAME (RFC 9051 section 6.3.6).
func (s *session) rename(p *wire.Parser) error {
	p.SP()
	from := s.mailboxName(p)
	p.SP()
	to := s.mailboxName(p)
	if err := p.End(); err != nil {
		return err
	}
	to = withoutEnd(to)
	made, err := s.newName(to)
	if err != nil {
		return err
	}
	m, ok := s.store.(mailparts.Manager)
	if !ok {
		return errors.ErrUnsupported
	}
	if from == "INBOX" {
		err = s.renameInbox(m, made)
	} else if err = m.Rename(s.ctx, from, made); err == nil && s.box != nil {
		s.box.name = renamed(s.box.name, from, made)
	}
	if err == nil && made != to {
		s.tellOldName(from, made)
	}
	return err
}

// renamed is what a name is when from has become to.
func renamed(name, from, to string) string {
	if name == from || strings.HasPrefix(name, from+separator) {
		return to + name[len(from):]
	}
	return name
}

// renameInbox moves all messages of INBOX to a new mailbox; those below INBOX stay where
// they are.
func (s *session) renameInbox(m mailparts.Manager, to string) error {
	inbox, err := s.store.Mailbox(s.ctx, "INBOX")
	if err != nil {
		return err
	}
	if err := m.Create(s.ctx, to); err != nil {
		return err
	}
	dst, err := s.store.Mailbox(s.ctx, to)
	if err != nil {
		return err
	}
	moved, err := mailparts.Move(s.ctx, inbox, mailparts.AllUIDs(), dst)
	if err != nil && len(moved.To.UIDs) == 0 {
		m.Delete(s.ctx, to) // nothing is in it
	}
	return err
}
