package mailtest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/mailparts/mailparts"
)

// Memory is a Backend that keeps mail in memory, for as long as it is
// reachable. The zero value is ready for use; a Memory must not be copied.
//
// It implements every optional interface of a Store and a Mailbox. It forgets
// nothing, keeps any number of keywords and annotations, and ignores flags that
// begin with a backslash and are not of RFC 9051 section 2.3.2. Numbers are
// predictable: the first UIDVALIDITY, UID and mod-sequence are 1. A user's
// mailboxes are his own until he gives others rights to them: these find them
// below "Other Users/", the user's name and "/", if that name has no "/".
type Memory struct {
	// Users are the names that Open knows; to any other it says ErrNoUser. Nil:
	// Open makes every user but "" on demand.
	Users []string

	// MaxStorage and MaxMessages limit what a user may keep in all mailboxes: the
	// octets and the number of messages. Zero: there is no limit.
	MaxStorage, MaxMessages int64

	// UIDL returns the POP3 unique-id that an earlier server gave to a message of
	// the user's INBOX, or "". Nil: there was no earlier server.
	UIDL func(user string, uid mailparts.UID) string

	mu     sync.Mutex // guards everything below, in the stores and mailboxes too
	stores map[string]*memoryStore
	ids    uint64   // object ids given out
	wakes  []func() // to be called when mu is released
}

// Open returns user's Store, the same at every call. A new one has an empty
// INBOX.
func (m *Memory) Open(_ context.Context, user string) (mailparts.Store, error) {
	if user == "" || m.Users != nil && !slices.Contains(m.Users, user) {
		return nil, mailparts.ErrNoUser
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stores[user]
	if s == nil {
		s = &memoryStore{memory: m, user: user, mailboxes: map[string]*memoryMailbox{}}
		s.add("INBOX", nil, accessList{user: mailparts.AllRights})
		if m.stores == nil {
			m.stores = map[string]*memoryStore{}
		}
		m.stores[user] = s
	}
	return s, nil
}

// update runs f under the lock, then wakes whoever watches what f touched.
func (m *Memory) update(f func() error) error {
	m.mu.Lock()
	err := f()
	wakes := m.wakes
	m.wakes = nil
	m.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
	return err
}

// newID returns an object id of RFC 8474 that no other mailbox or message has.
func (m *Memory) newID(kind string) string {
	m.ids++
	return fmt.Sprintf("%s%d", kind, m.ids)
}
