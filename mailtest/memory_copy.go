package mailtest

import (
	"context"
	"errors"

	"github.com/mailparts/mailparts"
)

// Copy shares the bodies. It answers ErrUnsupported for a dst outside this
// Memory.
func (b memoryHandle) Copy(_ context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (c mailparts.Copied, err error) {
	err = b.copyTo(dst, "r", func(to memoryHandle) error {
		c, err = b.copy(uids, to, true)
		return err
	})
	return c, err
}

// Move is one step: nobody sees a message in both mailboxes or in neither, and
// within one user's mailboxes it needs no room.
func (b memoryHandle) Move(_ context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (c mailparts.Copied, err error) {
	err = b.copyTo(dst, "rte", func(to memoryHandle) error {
		if c, err = b.copy(uids, to, b.store != to.store); err == nil {
			b.expunge(c.From, "")
		}
		return err
	})
	return c, err
}

// copyTo runs f under the lock if both mailboxes exist and share it.
func (b memoryHandle) copyTo(dst mailparts.Mailbox, need mailparts.Rights, f func(to memoryHandle) error) error {
	to, ok := dst.(memoryHandle)
	if !ok || to.store.memory != b.store.memory {
		return errors.ErrUnsupported
	}
	return b.update(need, func(mailparts.Rights) error {
		if to.gone {
			return mailparts.ErrNoMailbox
		}
		if err := to.allow(to.user, "i"); err != nil {
			return err
		}
		return f(to)
	})
}

func (b memoryHandle) copy(uids mailparts.UIDSet, to memoryHandle, more bool) (c mailparts.Copied, err error) {
	var batch []*memoryMessage
	var need claim
	for m := range b.in(uids) {
		c.From.Add(m.uid, m.uid)
		batch = append(batch, &memoryMessage{flags: m.flags, received: m.received, id: m.id, body: m.body})
		need.size += int64(len(m.body))
		need.messages++
	}
	if more {
		if err := to.fits(need); err != nil {
			return mailparts.Copied{}, err
		}
	}
	c.To = to.add(batch, to.rights(to.user))
	return c, nil
}
