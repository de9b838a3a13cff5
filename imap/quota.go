package imap

import (
	"errors"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// hasQuota says that QUOTA is offered.
func (s *session) hasQuota() bool { return s.able.quota }

// getQuota is GETQUOTA (RFC 9208 section 4.1.1). Which mailboxes have the root is to be
// found out: most often INBOX does.
func (s *session) getQuota(p *wire.Parser) error {
	p.SP()
	root := string(p.AString())
	if err := p.End(); err != nil {
		return err
	}
	if !s.hasQuota() {
		return errors.ErrUnsupported
	}
	found, err := s.tellRoot("INBOX", root)
	if err != nil || found {
		return err
	}
	for info, err := range s.store.List(s.ctx) {
		if err != nil {
			return err
		}
		if info.NoSelect {
			continue
		}
		if found, err := s.tellRoot(info.Name, root); err != nil || found {
			return unlessHidden(err)
		}
	}
	return &refusal{"NONEXISTENT", "No such quota root"}
}

// tellRoot sends the QUOTA of a root, if the mailbox has it.
func (s *session) tellRoot(name, root string) (found bool, err error) {
	all, err := mailparts.QuotaOf(s.ctx, s.store, name)
	if err != nil {
		return false, unlessHidden(err)
	}
	for _, of := range byRoot(all) {
		if of[0].Root == root {
			s.tellQuota(of)
			return true, nil
		}
	}
	return false, nil
}

// getQuotaRoot is GETQUOTAROOT (RFC 9208 section 4.1.2). The mailbox need not exist: then
// the nearest one above it tells, or INBOX.
func (s *session) getQuotaRoot(p *wire.Parser) error {
	p.SP()
	name := s.mailboxName(p)
	if err := p.End(); err != nil {
		return err
	}
	if !s.hasQuota() {
		return errors.ErrUnsupported
	}
	all, err := s.quotaFor(s.existing(name))
	if err != nil {
		return err
	}
	roots := byRoot(all)
	s.out.Print("* QUOTAROOT ")
	s.printName(name)
	for _, of := range roots {
		s.out.Print(" ")
		s.out.AString(of[0].Root)
	}
	s.out.Print("\r\n")
	for _, of := range roots {
		s.tellQuota(of)
	}
	return nil
}

// quotaFor is the quota of a mailbox, or what it would be if the mailbox were made.
func (s *session) quotaFor(name string) ([]mailparts.Quota, error) {
	all, err := mailparts.QuotaOf(s.ctx, s.store, name)
	if !errors.Is(err, mailparts.ErrNoMailbox) {
		return all, err
	}
	for above := range parents(name) {
		if all, err := mailparts.QuotaOf(s.ctx, s.store, above); err == nil {
			return all, nil
		}
	}
	ns, nserr := mailparts.NamespacesOf(s.ctx, s.store)
	if nserr != nil {
		return nil, nserr
	}
	for _, prefix := range append(ns.Others, ns.Shared...) {
		if strings.HasPrefix(name, prefix) {
			return nil, err
		}
	}
	return mailparts.QuotaOf(s.ctx, s.store, "INBOX")
}

// setQuota is SETQUOTA, which nobody may here: QUOTASET is not offered (RFC 9208 section
// 4.1.3).
func (s *session) setQuota(p *wire.Parser) error {
	p.SP()
	p.AString()
	p.SP()
	p.List(func() {
		p.Atom()
		p.SP()
		p.Number64()
	})
	if err := p.End(); err != nil {
		return err
	}
	return &refusal{"NOPERM", "Quotas cannot be set here"}
}

// byRoot parts what a store has told, the resources of each root together.
func byRoot(all []mailparts.Quota) (roots [][]mailparts.Quota) {
	from := 0
	for i := range all {
		if i+1 == len(all) || all[i+1].Root != all[i].Root {
			roots = append(roots, all[from:i+1])
			from = i + 1
		}
	}
	return roots
}

// tellQuota sends the QUOTA of one root (RFC 9208 section 4.2.1).
func (s *session) tellQuota(of []mailparts.Quota) {
	s.out.Print("* QUOTA ")
	s.out.AString(of[0].Root)
	for i, q := range of {
		s.out.Print([]string{" (", " "}[min(i, 1)], q.Resource, " ")
		used, limit := q.Used, q.Limit
		if q.Resource == mailparts.QuotaStorage { // in units of 1024 octets (section 5.1)
			used, limit = (used+1023)/1024, limit/1024
		}
		s.out.Uint(uint64(max(used, 0)))
		s.out.Print(" ")
		s.out.Uint(uint64(max(limit, 0)))
	}
	s.out.Print(")\r\n")
}
