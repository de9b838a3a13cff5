package mailtest

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
)

// validName reports whether a mailbox can have the name: UTF-8 without control
// characters, no part of it empty. "inbox" would be a second INBOX to every
// client (RFC 9051 section 5.1).
func validName(name string) bool {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	parts := strings.Split(name, "/")
	return !slices.Contains(parts, "") && (parts[0] == "INBOX" || !strings.EqualFold(parts[0], "INBOX"))
}

// Create makes an empty mailbox, and no parents.
func (s *memoryStore) Create(_ context.Context, name string, use ...string) error {
	if !validName(name) {
		return mailparts.ErrBadName
	}
	return s.memory.update(func() error {
		if s.mailboxes[name] != nil {
			return mailparts.ErrExists
		}
		s.add(name, slices.Clone(use))
		s.touch()
		return nil
	})
}

// Delete answers ErrPermission for INBOX, which always exists.
func (s *memoryStore) Delete(_ context.Context, name string) error {
	if !validName(name) {
		return mailparts.ErrBadName
	}
	if name == "INBOX" {
		return mailparts.ErrPermission
	}
	return s.memory.update(func() error {
		b := s.mailboxes[name]
		if b == nil {
			return mailparts.ErrNoMailbox
		}
		delete(s.mailboxes, name)
		b.touch()
		b.gone = true
		return nil
	})
}

// Rename answers ErrPermission for INBOX, and ErrExists if any of the new names
// is taken.
func (s *memoryStore) Rename(_ context.Context, from, to string) error {
	if !validName(from) || !validName(to) {
		return mailparts.ErrBadName
	}
	if from == "INBOX" {
		return mailparts.ErrPermission
	}
	return s.memory.update(func() error {
		if s.mailboxes[from] == nil {
			return mailparts.ErrNoMailbox
		}
		if from == to {
			return mailparts.ErrExists
		}
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
	})
}
