package imap

import (
	"errors"
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// selectMailbox is SELECT (RFC 9051 section 6.3.2).
func (s *session) selectMailbox(p *wire.Parser) error { return s.open(p, false) }

// examine is EXAMINE (RFC 9051 section 6.3.3).
func (s *session) examine(p *wire.Parser) error { return s.open(p, true) }

// open selects a mailbox. Whatever comes of it, the one before is no longer selected.
func (s *session) open(p *wire.Parser, readOnly bool) error {
	p.SP()
	asked := s.mailboxName(p)
	params := s.selectParameters(p)
	if err := p.End(); err != nil {
		return err
	}
	s.leave()
	s.enabled.condstore = s.enabled.condstore || params.condstore
	b := &selected{name: s.existing(asked), readOnly: readOnly}
	var err error
	if b.mb, err = s.store.Mailbox(s.ctx, b.name); err != nil {
		return err
	}
	st, unseen, err := b.fill(s.ctx)
	if err != nil {
		return err
	}
	b.readOnly = b.readOnly || st.ReadOnly
	if st.FirstRecent != 0 {
		if err := b.claim(s.ctx); err != nil {
			return err
		}
	}
	s.box, s.state = b, selectedState
	s.describe(st, unseen)
	if s.enabled.rev2 { // RFC 9051 section 6.3.2
		s.tellName("", asked, b.name)
	}
	if params.qresync != nil {
		if err := s.bring(params.qresync); err != nil {
			s.box, s.state = nil, authenticated
			return err
		}
	}
	s.code = "READ-WRITE"
	if b.readOnly {
		s.code = "READ-ONLY"
	}
	return nil
}

// leave closes the mailbox that is selected, and says so to who knows CLOSED (RFC 7162
// section 3.2.11, RFC 9051 section 7.1).
func (s *session) leave() {
	if s.box == nil {
		return
	}
	s.box, s.state = nil, authenticated
	if s.enabled.qresync || s.enabled.rev2 {
		s.out.Print("* OK [CLOSED] Previous mailbox is closed\r\n")
	}
}

// describe sends what SELECT must tell.
func (s *session) describe(st mailparts.Status, unseen uint32) {
	b := s.box
	b.flags = slices.Clone(systemFlags)
	for _, f := range st.PermanentFlags {
		if f != mailparts.FlagAny && !hasFlag(b.flags, f) {
			b.flags = append(b.flags, f)
		}
	}
	s.out.Print("* FLAGS ")
	s.flagList(b.flags, false)
	s.out.Print("\r\n* OK [PERMANENTFLAGS ")
	if b.readOnly {
		s.flagList(nil, false)
	} else {
		s.flagList(st.PermanentFlags, false)
	}
	s.out.Print("] Flags that stay\r\n* ")
	s.out.Uint(uint64(b.view.count))
	s.out.Print(" EXISTS\r\n")
	s.tellRecent()
	if unseen != 0 && !s.enabled.rev2 {
		s.out.Print("* OK [UNSEEN ")
		s.out.Uint(uint64(unseen))
		s.out.Print("] The first unseen message\r\n")
	}
	s.out.Print("* OK [UIDVALIDITY ")
	s.out.Uint(uint64(st.UIDValidity))
	s.out.Print("] UIDs are valid\r\n* OK [UIDNEXT ")
	s.out.Uint(uint64(st.UIDNext))
	s.out.Print("] The next UID\r\n")
	s.tellModSeq(st.HighestModSeq)
	if id := objectID(st.ID); id != "" { // RFC 8474 section 4.2
		s.out.Print("* OK [MAILBOXID (", id, ")] The mailbox\r\n")
	}
}

// close is CLOSE (RFC 9051 section 6.4.1), which has no NO: whoever may not expunge closes
// the mailbox all the same (RFC 4314 section 4).
func (s *session) close(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	b := s.box
	s.box, s.state = nil, authenticated
	if b.readOnly {
		return nil
	}
	err := b.mb.Expunge(s.ctx, b.view.uids, mailparts.FlagDeleted)
	if err != nil && !errors.Is(err, mailparts.ErrPermission) {
		s.log.Error("cannot expunge at CLOSE", "user", s.user, "mailbox", b.name, "err", err)
		s.out.Print("* NO Messages with \\Deleted could not be removed\r\n")
	}
	return nil
}

// unselect is UNSELECT (RFC 3691).
func (s *session) unselect(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	s.box, s.state = nil, authenticated
	return nil
}
