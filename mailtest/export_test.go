package mailtest

import (
	"time"

	"github.com/mailparts/mailparts"
)

// WithPatience is k with another time to wait for a call.
func (k BackendKit) WithPatience(d time.Duration) BackendKit {
	k.patience = d
	return k
}

// ReuseUIDs turns the next UID of a Memory's mailbox back to the first above all
// that exist.
func ReuseUIDs(mb mailparts.Mailbox) {
	b := mb.(*memoryMailbox)
	b.store.memory.mu.Lock()
	defer b.store.memory.mu.Unlock()
	b.uidNext = 1
	if n := len(b.messages); n > 0 {
		b.uidNext = b.messages[n-1].uid + 1
	}
}
