package mailtest

import (
	"context"
	"errors"

	"github.com/mailparts/mailparts"
)

// Copy shares the bodies. It answers ErrUnsupported for a dst outside this
// Memory.
func (b *memoryMailbox) Copy(_ context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (c mailparts.Copied, err error) {
	err = b.copyTo(dst, func(to *memoryMailbox) { c = b.copy(uids, to) })
	return c, err
}

// Move is one step: nobody sees a message in both mailboxes or in neither.
func (b *memoryMailbox) Move(_ context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (c mailparts.Copied, err error) {
	err = b.copyTo(dst, func(to *memoryMailbox) {
		c = b.copy(uids, to)
		b.expunge(c.From, "")
	})
	return c, err
}

// copyTo runs f under the lock if both mailboxes exist and share it.
func (b *memoryMailbox) copyTo(dst mailparts.Mailbox, f func(to *memoryMailbox)) error {
	to, ok := dst.(*memoryMailbox)
	if !ok || to.store.memory != b.store.memory {
		return errors.ErrUnsupported
	}
	return b.store.memory.update(func() error {
		if b.gone || to.gone {
			return mailparts.ErrNoMailbox
		}
		f(to)
		return nil
	})
}

func (b *memoryMailbox) copy(uids mailparts.UIDSet, to *memoryMailbox) (c mailparts.Copied) {
	var batch []*memoryMessage
	for m := range b.in(uids) {
		c.From.Add(m.uid, m.uid)
		batch = append(batch, &memoryMessage{flags: m.flags, received: m.received, id: m.id, body: m.body})
	}
	c.To = to.add(batch)
	return c
}
