package mailtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// Create makes an empty mailbox, and no parents.
func (s *memoryStore) Create(_ context.Context, name string, use ...string) error {
	return s.memory.update(func() error {
		owner, own, err := s.place(name)
		if err != nil {
			return err
		}
		if owner.mailboxes[own] != nil {
			return mailparts.ErrExists
		}
		if !knownUses(use) || len(use) > 0 && owner != s {
			return errors.ErrUnsupported
		}
		acl := accessList{owner.user: mailparts.AllRights}
		if parent := owner.parent(own); parent != nil {
			acl = maps.Clone(parent.acl)
		}
		owner.add(own, slices.Clone(use), acl)
		owner.mailboxes[own].touch()
		return nil
	})
}

// place returns where a mailbox of the name would be, if the user may put one
// there. The caller holds the lock.
func (s *memoryStore) place(name string) (owner *memoryStore, own string, err error) {
	owner, own, err = s.resolve(name)
	if errors.Is(err, mailparts.ErrNoMailbox) {
		return nil, "", mailparts.ErrPermission
	}
	if err != nil {
		return nil, "", err
	}
	if parent := owner.parent(own); parent != nil && !parent.rights(s.user).Has("k") || parent == nil && owner != s {
		return nil, "", mailparts.ErrPermission
	}
	return owner, own, nil
}

// Delete answers ErrPermission for INBOX, which always exists.
func (s *memoryStore) Delete(_ context.Context, name string) error {
	return s.memory.update(func() error {
		b, err := s.find(name, "x")
		if err != nil {
			return err
		}
		owner, own, _ := s.resolve(name)
		if own == "INBOX" {
			return mailparts.ErrPermission
		}
		delete(owner.mailboxes, own)
		b.touch()
		b.gone = true
		return nil
	})
}

// Rename answers ErrPermission for INBOX, ErrExists if any of the new names is
// taken, and ErrBadName for one among another user's.
func (s *memoryStore) Rename(_ context.Context, from, to string) error {
	return s.memory.update(func() error {
		owner, own, err := s.resolve(from)
		newOwner, newOwn, newErr := s.resolve(to)
		switch {
		case err == mailparts.ErrBadName || newErr == mailparts.ErrBadName:
			return mailparts.ErrBadName
		case err != nil:
			return err
		case newOwner != owner:
			return mailparts.ErrBadName
		case own == "INBOX":
			return mailparts.ErrPermission
		}
		if _, err := s.find(from, "x"); err != nil {
			return err
		}
		if own == newOwn || owner.mailboxes[newOwn] != nil {
			return mailparts.ErrExists
		}
		if _, _, err := s.place(to); err != nil {
			return err
		}
		return owner.rename(own, newOwn)
	})
}

// rename takes the children along. The caller holds the lock.
func (s *memoryStore) rename(from, to string) error {
	after := map[string]*memoryMailbox{}
	var moved []*memoryMailbox
	for name, b := range s.mailboxes {
		if name == from || strings.HasPrefix(name, from+"/") {
			name = to + name[len(from):]
			moved = append(moved, b)
		}
		if s.mailboxes[name] != nil && s.mailboxes[name] != b {
			return mailparts.ErrExists
		}
		after[name] = b
	}
	s.mailboxes = after
	for _, b := range moved {
		b.touch()
	}
	return nil
}
