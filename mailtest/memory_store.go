package mailtest

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/mailparts/mailparts"
)

// memoryStore is one user's mailboxes.
type memoryStore struct {
	memory      *Memory
	mailboxes   map[string]*memoryMailbox
	subscribed  map[string]bool
	uidValidity uint32 // the last given
	watchers    watchers
}

// add makes a mailbox. The caller holds the lock and knows the name to be free.
func (s *memoryStore) add(name string, use []string) {
	s.uidValidity++
	s.mailboxes[name] = &memoryMailbox{
		store:       s,
		id:          s.memory.newID("F"),
		use:         use,
		uidValidity: s.uidValidity,
		uidNext:     1,
		firstRecent: 1,
		highest:     1,
		keywords:    map[string]mailparts.Flag{},
		lock:        make(chan struct{}, 1),
	}
}

// List yields the mailboxes in the order of their names. Parents that do not
// exist are not listed.
func (s *memoryStore) List(context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return s.list(false)
}

// ListStatus is List with the status of each.
func (s *memoryStore) ListStatus(context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return s.list(true)
}

func (s *memoryStore) list(status bool) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		for _, info := range s.infos(status) {
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *memoryStore) infos(status bool) []mailparts.MailboxInfo {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	var infos []mailparts.MailboxInfo
	for _, name := range slices.Sorted(maps.Keys(s.mailboxes)) {
		b := s.mailboxes[name]
		info := mailparts.MailboxInfo{Name: name, ID: b.id, Use: slices.Clone(b.use)}
		if status {
			st := b.status()
			info.Status = &st
		}
		infos = append(infos, info)
	}
	return infos
}

// Mailbox returns the mailbox itself: it has no name, so that it follows a
// rename.
func (s *memoryStore) Mailbox(_ context.Context, name string) (mailparts.Mailbox, error) {
	if !validName(name) {
		return nil, mailparts.ErrBadName
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	b := s.mailboxes[name]
	if b == nil {
		return nil, mailparts.ErrNoMailbox
	}
	return b, nil
}

// Subscribed returns the names in ascending order.
func (s *memoryStore) Subscribed(context.Context) ([]string, error) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return slices.Sorted(maps.Keys(s.subscribed)), nil
}

// Subscribe takes every name that a mailbox could have.
func (s *memoryStore) Subscribe(_ context.Context, name string, on bool) error {
	if !validName(name) {
		return mailparts.ErrBadName
	}
	return s.memory.update(func() error {
		if s.subscribed == nil {
			s.subscribed = map[string]bool{}
		}
		if on {
			s.subscribed[name] = true
		} else {
			delete(s.subscribed, name)
		}
		s.touch()
		return nil
	})
}
