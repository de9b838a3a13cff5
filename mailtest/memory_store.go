package mailtest

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// memoryStore is one user's mailboxes, and his view of others'.
type memoryStore struct {
	memory      *Memory
	user        string
	mailboxes   map[string]*memoryMailbox // the user's own
	subscribed  map[string]bool
	annotations annotations // of the account
	uidValidity uint32      // the last given
	watchers    watchers
}

// add makes a mailbox of the user's. The caller holds the lock and knows the
// name to be free.
func (s *memoryStore) add(name string, use []string, acl accessList) {
	s.uidValidity++
	s.mailboxes[name] = &memoryMailbox{
		store:       s,
		id:          s.memory.newID("F"),
		use:         use,
		acl:         acl,
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

func (s *memoryStore) infos(status bool) (infos []mailparts.MailboxInfo) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	for owner, of := range s.memory.stores {
		for name, b := range of.mailboxes {
			mine := b.rights(s.user)
			if of != s && strings.Contains(owner, "/") || !mine.Has("l") {
				continue
			}
			info := mailparts.MailboxInfo{Name: name, ID: b.id, Use: slices.Clone(b.use)}
			if of != s {
				info.Name, info.Use = othersPrefix+owner+"/"+name, nil
			}
			if status && mine.Has("r") {
				st := b.status(mine)
				info.Status = &st
			}
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b mailparts.MailboxInfo) int { return strings.Compare(a.Name, b.Name) })
	return infos
}

// Mailbox returns a handle that has no name, so that it follows a rename.
func (s *memoryStore) Mailbox(_ context.Context, name string) (mailparts.Mailbox, error) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	b, err := s.find(name, "")
	if err != nil {
		return nil, err
	}
	return memoryHandle{b, s.user}, nil
}

// Subscribed returns the names in ascending order.
func (s *memoryStore) Subscribed(context.Context) ([]string, error) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return slices.Sorted(maps.Keys(s.subscribed)), nil
}

// Subscribe takes every name that a mailbox could have.
func (s *memoryStore) Subscribe(_ context.Context, name string, on bool) error {
	return s.memory.update(func() error {
		if _, _, err := s.resolve(name); err == mailparts.ErrBadName {
			return err
		}
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
