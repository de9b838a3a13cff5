package maildir

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mailparts/mailparts"
)

var _ mailparts.Mover = (*mailbox)(nil)

// Move copies, makes that durable and then removes, all of it with both mailboxes
// locked, so that of two who move a message one does. A crash in the midst of it may
// leave messages in both. Within one mailbox they get new UIDs. Within one tree it
// needs no room in the quota.
func (m *mailbox) Move(ctx context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
	to, ok := dst.(*mailbox)
	if !ok || !m.reaches(to.box) {
		return mailparts.Copied{}, errors.ErrUnsupported
	}
	var charge *charge
	var err error
	if to.root != m.root {
		if charge, err = to.charge(ctx); err != nil {
			return mailparts.Copied{}, quota(err)
		}
	}
	c, err := m.copying(ctx, to.box, uids)
	if err == nil {
		err = c.draftAll(ctx, charge)
	}
	var done mailparts.Copied
	if err == nil {
		done, err = c.move(ctx, charge)
	}
	if done.To.UIDValidity == 0 {
		c.discard()
	}
	return done, quota(err)
}

// move places the drafts and removes the messages. If it fails before they are
// durable in dst it returns nothing with the error, and has left nothing there.
func (c *copying) move(ctx context.Context, charge *charge) (done mailparts.Copied, err error) {
	unlock, err := lockBoth(ctx, c.src, c.dst)
	if err != nil {
		return done, err
	}
	defer unlock()
	if err := c.update(ctx); err != nil {
		return done, err
	}
	refund := c.src.quotaRoot().refund(ctx)
	defer refund.close()
	drafts := c.drafts()
	if c.src.root == c.dst.root && len(drafts) > 0 && refund.begin() {
		// What is moved is in the tree twice for a while, and nobody counts it then.
		defer func() { refund.sum = refund.sum.plus(weighDrafts(drafts[:done.To.UIDs.Len()]).minus()) }()
	}
	placed, err := c.dst.placeAll(ctx, drafts, charge)
	if err == nil {
		placed, err = c.dst.settle(ctx, drafts, placed, charge)
	}
	if err != nil {
		return done, err
	}
	done = mailparts.Copied{From: c.uids(), To: placed}
	return done, c.src.removeMoved(context.WithoutCancel(ctx), done.From, refund)
}

// update leaves out what was expunged since the drafts were made, and gives the
// others the flags that they have by now. The caller holds both locks.
func (c *copying) update(ctx context.Context) error {
	if err := c.src.catchUp(ctx, needEntries); err != nil {
		return err
	}
	var gone []original
	c.msgs = slices.DeleteFunc(c.msgs, func(o original) bool {
		_, there := c.src.find(mailparts.UID(o.UID))
		if !there {
			gone = append(gone, o)
		}
		return !there
	})
	(&copying{dst: c.dst, msgs: gone}).discard()
	for i := range c.msgs {
		c.msgs[i].entry, _ = c.src.find(mailparts.UID(c.msgs[i].UID))
	}
	c.src.mu.Lock()
	c.nameKeywords()
	c.src.mu.Unlock()
	err := c.translate(func(names []mailparts.Flag) (flagSet, error) {
		return c.dst.flagsFor(ctx, c.dst.path(), names, true)
	})
	for i := range c.msgs {
		c.msgs[i].draft.flags = c.flagsOf(&c.msgs[i].entry)
	}
	return err
}

// removeMoved is Expunge for who holds the lock.
func (b *box) removeMoved(ctx context.Context, uids mailparts.UIDSet, refund *refund) error {
	if len(uids) == 0 {
		return nil
	}
	err := b.changeLocked(ctx, func(dir string) (again bool, err error) {
		return b.expunge(dir, b.pick(uids, func(*entry) bool { return true }), refund)
	})
	return errors.Join(err, b.sync([]int{newShelf, curShelf}))
}

// lockBoth locks two mailboxes, or one if they are the same, in the order of their
// folders, which is Rename's too. A mailbox that is renamed meanwhile may be out of
// that order: then two may wait for each other, and one gives way and tries again.
func lockBoth(ctx context.Context, a, b *box) (unlock func(), err error) {
	if a == b {
		return a.lock(ctx)
	}
	for {
		first, second := a, b
		if b.path() < a.path() {
			first, second = b, a
		}
		unlockFirst, err := first.lock(ctx)
		if err != nil {
			return nil, err
		}
		short, cancel := context.WithTimeout(ctx, giveWay)
		unlockSecond, err := second.lock(short)
		waited := short.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			return func() { unlockSecond(); unlockFirst() }, nil
		}
		unlockFirst()
		if !waited {
			return nil, err
		}
	}
}

// giveWay is how long the lock of one mailbox is held while that of another is
// waited for.
const giveWay = 5 * time.Second
