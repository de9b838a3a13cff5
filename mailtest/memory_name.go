package mailtest

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
)

const others, othersPrefix = "Other Users", "Other Users/"

// Namespaces tells where other users' mailboxes are.
func (*memoryStore) Namespaces(context.Context) (mailparts.Namespaces, error) {
	return mailparts.Namespaces{Others: []string{othersPrefix}}, nil
}

// validName reports whether a mailbox can have the name: UTF-8 without control
// characters, no part of it empty. "inbox" would be a second INBOX to every
// client (RFC 9051 section 5.1), "other users" might be a second namespace.
func validName(name string) bool {
	if !printable(name) {
		return false
	}
	parts := strings.Split(name, "/")
	return !slices.Contains(parts, "") && !strings.EqualFold(parts[0], others) &&
		(parts[0] == "INBOX" || !strings.EqualFold(parts[0], "INBOX"))
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// resolve says whose mailbox would have the name, and by which name of his own.
// The caller holds the lock.
func (s *memoryStore) resolve(name string) (owner *memoryStore, own string, err error) {
	user, own, other := s, name, false
	if rest, ok := strings.CutPrefix(name, othersPrefix); ok {
		var of string
		of, own, _ = strings.Cut(rest, "/")
		if user, other = s.memory.stores[of], true; !printable(of) || of == "" {
			return nil, "", mailparts.ErrBadName
		}
	}
	if !validName(own) {
		return nil, "", mailparts.ErrBadName
	}
	if user == nil || other && user == s {
		return nil, "", mailparts.ErrNoMailbox
	}
	return user, own, nil
}

// find returns the mailbox that has the name if the user has all of the rights.
// The caller holds the lock.
func (s *memoryStore) find(name string, need mailparts.Rights) (*memoryMailbox, error) {
	owner, own, err := s.resolve(name)
	if err != nil {
		return nil, err
	}
	b := owner.mailboxes[own]
	if b == nil {
		return nil, mailparts.ErrNoMailbox
	}
	return b, b.allow(s.user, need)
}

// parent returns the nearest parent that exists, or nil.
func (s *memoryStore) parent(name string) *memoryMailbox {
	for {
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return nil
		}
		name = name[:i]
		if b := s.mailboxes[name]; b != nil {
			return b
		}
	}
}
