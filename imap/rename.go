package imap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// rename is RENAME (RFC 9051 section 6.3.6).
func (s *session) rename(p *wire.Parser) error {
	p.SP()
	asked := s.mailboxName(p)
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
	from := s.existing(asked)
	if from == "INBOX" {
		err = s.renameInbox(m, made)
	} else {
		err = s.renameMailbox(m, from, made)
	}
	if err == nil && (made != to || from != asked) {
		s.tellName("", asked, made)
	}
	return err
}

// renameMailbox takes what is below the mailbox along, even if it is no mailbox itself but
// a level of hierarchy, as in the RFC's example.
func (s *session) renameMailbox(m mailparts.Manager, from, to string) error {
	err := m.Rename(s.ctx, from, to)
	if errors.Is(err, mailparts.ErrNoMailbox) {
		tops, lerr := s.topsBelow(from, to)
		switch {
		case lerr != nil:
			err = lerr
		case len(tops) > 0:
			err = renameAll(s.ctx, m, tops, from, to)
		}
	}
	if err == nil && s.box != nil {
		s.box.name = renamed(s.box.name, from, to)
	}
	return err
}

// topsBelow is the mailboxes below a name that are below no other such. ErrExists: there is
// something at or below the new name already, or the new name is below the old.
func (s *session) topsBelow(from, to string) (tops []string, err error) {
	below := map[string]bool{}
	taken := within(to, from)
	for info, err := range s.store.List(s.ctx) {
		if err != nil {
			return nil, err
		}
		taken = taken || within(info.Name, to)
		if within(info.Name, from) && !info.NoSelect {
			below[info.Name] = true
		}
	}
	if len(below) > 0 && taken {
		return nil, mailparts.ErrExists
	}
	for name := range below {
		top := true
		for above := range parents(name) {
			top = top && !below[above]
		}
		if top {
			tops = append(tops, name)
		}
	}
	slices.Sort(tops)
	return tops, nil
}

// renameAll renames all of names, or after an error none, if that is possible.
func renameAll(ctx context.Context, m mailparts.Manager, names []string, from, to string) error {
	for i, name := range names {
		err := m.Rename(ctx, name, renamed(name, from, to))
		if err == nil {
			continue
		}
		for _, done := range names[:i] {
			m.Rename(ctx, renamed(done, from, to), done)
		}
		return err
	}
	return nil
}

// within reports whether a name is top or below it.
func within(name, top string) bool {
	return name == top || strings.HasPrefix(name, top+separator)
}

// renamed is what a name is when from has become to.
func renamed(name, from, to string) string {
	if within(name, from) {
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
