package maildir

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/mailparts/mailparts"
)

// Expunge removes files; they are gone for good when it returns. A flag that is
// not kept is on no message.
func (m *mailbox) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	flag := setOf([]mailparts.Flag{having})
	if having != "" && flag == 0 {
		return m.refresh(ctx)
	}
	removed := false
	err := m.change(ctx, func(dir string) (again bool, err error) {
		msgs := m.pick(uids, func(e *entry) bool { return e.flags&flag == flag })
		removed = removed || len(msgs) > 0
		return m.expunge(dir, msgs)
	})
	if !removed {
		return err
	}
	// A message that went from new/ to cur/ may still be in the first one for the
	// disk, whoever moved it.
	return errors.Join(err, m.sync([]int{newShelf, curShelf}))
}

// expunge removes exactly the names that were seen, and so no message whose flags
// have changed since.
func (b *box) expunge(dir string, msgs []entry) (again bool, err error) {
	gone := map[mailparts.UID]bool{}
	var from [2]bool
	refund := b.quotaRoot().refund(context.Background())
	defer refund.close()
	for _, e := range msgs {
		refund.weigh(e.path(dir))
		err = b.fsys.Remove(e.path(dir))
		if errors.Is(err, fs.ErrNotExist) {
			again, err = true, nil
			continue
		}
		if err != nil {
			break
		}
		refund.removed()
		gone[e.uid] = true
		from[e.shelf] = true
	}
	if len(gone) == 0 {
		return again, err
	}
	b.mu.Lock()
	b.entries = slices.DeleteFunc(b.entries, func(e entry) bool { return gone[e.uid] })
	for uid := range gone {
		delete(b.sizes, uid)
	}
	b.mu.Unlock()
	for i, changed := range from {
		if changed {
			b.adopt(dir, i)
		}
	}
	return again, err
}
