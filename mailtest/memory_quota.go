package mailtest

import (
	"context"
	"slices"

	"github.com/mailparts/mailparts"
)

// used is what a user keeps in all mailboxes. The caller holds the lock.
func (s *memoryStore) used() (size, messages int64) {
	for _, b := range s.mailboxes {
		size += b.counts.Size
		messages += int64(len(b.messages))
	}
	return size, messages
}

// claim is what somebody wants to add to a mailbox.
type claim struct {
	size, messages int64
	replaces       mailparts.UIDSet // in the same mailbox
}

// plus is c and one more message.
func (c claim) plus(size int64, replaces mailparts.UID) claim {
	c.size += size
	c.messages++
	c.replaces = slices.Clone(c.replaces)
	c.replaces.Add(replaces, replaces)
	return c
}

// fits says ErrQuota if there is no room for c. The caller holds the lock.
func (b *memoryMailbox) fits(c claim) error {
	m := b.store.memory
	size, messages := b.store.used()
	for gone := range b.in(c.replaces) {
		size -= int64(len(gone.body))
		messages--
	}
	if m.MaxStorage > 0 && size+c.size > m.MaxStorage || m.MaxMessages > 0 && messages+c.messages > m.MaxMessages {
		return mailparts.ErrQuota
	}
	return nil
}

// Quota tells of one root, which has the name of the mailbox's owner.
func (s *memoryStore) Quota(_ context.Context, name string) (all []mailparts.Quota, err error) {
	err = s.memory.update(func() error {
		b, err := s.find(name, "r")
		if err != nil {
			return err
		}
		m, root := s.memory, b.store.user
		size, messages := b.store.used()
		if m.MaxStorage > 0 {
			all = append(all, mailparts.Quota{Root: root, Resource: mailparts.QuotaStorage, Used: size, Limit: m.MaxStorage})
		}
		if m.MaxMessages > 0 {
			all = append(all, mailparts.Quota{Root: root, Resource: mailparts.QuotaMessage, Used: messages, Limit: m.MaxMessages})
		}
		return nil
	})
	return all, err
}
