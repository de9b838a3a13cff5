package mailtest

import (
	"context"
	"iter"

	"github.com/mailparts/mailparts"
)

// UIDLs asks Memory.UIDL for each message of an INBOX.
func (b memoryHandle) UIDLs(ctx context.Context) iter.Seq2[mailparts.UIDL, error] {
	return func(yield func(mailparts.UIDL, error) bool) {
		ask := b.store.memory.UIDL
		if ask == nil || !b.inbox() {
			return
		}
		for m, err := range b.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
			if err != nil {
				yield(mailparts.UIDL{}, err)
				return
			}
			if id := ask(b.store.user, m.UID); id != "" && !yield(mailparts.UIDL{UID: m.UID, ID: id}, nil) {
				return
			}
		}
	}
}

func (b memoryHandle) inbox() bool {
	b.store.memory.mu.Lock()
	defer b.store.memory.mu.Unlock()
	return b.store.mailboxes["INBOX"] == b.memoryMailbox
}
