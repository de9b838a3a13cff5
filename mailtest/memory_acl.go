package mailtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// accessList is what each identifier has or, with "-" before it, lacks.
type accessList map[string]mailparts.Rights

// rights are those of a user. The caller holds the lock.
func (b *memoryMailbox) rights(user string) mailparts.Rights {
	owns := user == b.store.user
	if owns && len(b.acl) == 1 && b.acl[user] == mailparts.AllRights {
		return mailparts.AllRights
	}
	without := b.acl["-"+user] + b.acl["-anyone"]
	mine := strings.Map(func(c rune) rune {
		if strings.ContainsRune(string(without), c) {
			return -1
		}
		return c
	}, string(b.acl[user]+b.acl["anyone"]))
	if owns {
		mine += "la"
	}
	return mailparts.Rights(mine).Sorted()
}

// allow says why not, if the user may not. The caller holds the lock.
func (b *memoryMailbox) allow(user string, need mailparts.Rights) error {
	mine := b.rights(user)
	if !strings.ContainsAny(string(mine), "lrikxa") {
		return mailparts.ErrNoMailbox
	}
	if !mine.Has(need) {
		return mailparts.ErrPermission
	}
	return nil
}

// allowedFlags are those of flags that who has the rights may change.
func allowedFlags(mine mailparts.Rights, flags []mailparts.Flag) []mailparts.Flag {
	if mine.Has("swt") {
		return flags
	}
	return slices.DeleteFunc(slices.Clone(flags), func(f mailparts.Flag) bool {
		switch foldFlag(f) {
		case foldFlag(mailparts.FlagSeen):
			return !mine.Has("s")
		case foldFlag(mailparts.FlagDeleted):
			return !mine.Has("t")
		}
		return !mine.Has("w")
	})
}

// ACL returns the identifiers in ascending order.
func (s *memoryStore) ACL(_ context.Context, name string) (list []mailparts.ACLEntry, err error) {
	err = s.memory.update(func() error {
		b, err := s.find(name, "a")
		if err != nil {
			return err
		}
		acl := maps.Clone(b.acl)
		owner := b.store.user
		acl[owner] = (acl[owner] + "la").Sorted()
		for _, id := range slices.Sorted(maps.Keys(acl)) {
			list = append(list, mailparts.ACLEntry{Identifier: id, Rights: acl[id]})
		}
		return nil
	})
	return list, err
}

// SetACL takes any printable identifier.
func (s *memoryStore) SetACL(_ context.Context, name, identifier string, rights mailparts.Rights) error {
	if !mailparts.AllRights.Has(rights) {
		return errors.ErrUnsupported
	}
	return s.memory.update(func() error {
		b, err := s.find(name, "a")
		if err != nil {
			return err
		}
		if strings.TrimPrefix(identifier, "-") == "" || !printable(identifier) {
			return mailparts.ErrBadName
		}
		b.touch() // those who see it now, and below those who do then
		b.acl[identifier] = rights.Sorted()
		if rights == "" {
			delete(b.acl, identifier)
		}
		b.touch()
		return nil
	})
}

// MyRights never fails for a mailbox that the user may know of.
func (s *memoryStore) MyRights(_ context.Context, name string) (mine mailparts.Rights, err error) {
	err = s.memory.update(func() error {
		b, err := s.find(name, "")
		if err == nil {
			mine = b.rights(s.user)
		}
		return err
	})
	return mine, err
}
