package imap

import (
	"errors"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// delete is DELETE (RFC 9051 section 6.3.5).
func (s *session) delete(p *wire.Parser) error {
	p.SP()
	asked := s.mailboxName(p)
	if err := p.End(); err != nil {
		return err
	}
	if asked == "INBOX" {
		return &refusal{"CANNOT", "INBOX cannot be deleted"}
	}
	m, ok := s.store.(mailparts.Manager)
	if !ok {
		return errors.ErrUnsupported
	}
	name := s.existing(asked)
	err := m.Delete(s.ctx, name)
	if errors.Is(err, mailparts.ErrNoMailbox) && s.isParent(name) {
		return &refusal{"HASCHILDREN", "It is no mailbox, but there are some below it"}
	}
	if err == nil {
		s.tellOldName(`\NonExistent`, asked, name)
		s.leaveDeleted()
	}
	return err
}

// isParent reports whether mailboxes are below a name.
func (s *session) isParent(name string) bool {
	for info, err := range s.store.List(s.ctx) {
		if err != nil {
			return false
		}
		if strings.HasPrefix(info.Name, name+separator) {
			return true
		}
	}
	return false
}

// leaveDeleted closes the mailbox that is selected if the client itself has deleted it:
// the session need not end.
func (s *session) leaveDeleted() {
	if s.box == nil {
		return
	}
	if _, err := s.box.mb.Status(s.ctx); errors.Is(err, mailparts.ErrNoMailbox) {
		s.leave()
	}
}
