package maildir

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// Expunge removes files; they are gone for good when it returns. A flag that is
// not kept is on no message.
func (m *mailbox) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	removed := false
	refund := m.quotaRoot().refund(ctx)
	err := m.change(ctx, func(dir string) (again bool, err error) {
		flag, err := m.flagsFor(ctx, dir, []mailparts.Flag{having}, false)
		if err != nil || having != "" && flag == 0 {
			return false, err
		}
		msgs := m.pick(uids, func(e *entry) bool { return flagSet(e.Flags)&flag == flag })
		removed = removed || len(msgs) > 0
		return m.expunge(dir, msgs, refund)
	})
	refund.close()
	if !removed {
		return err
	}
	// A message that went from new/ to cur/ may still be in the first one for the
	// disk, whoever moved it.
	return errors.Join(err, m.sync([]int{newShelf, curShelf}))
}

// expunge removes exactly the names that were seen, and so no message whose flags
// have changed since.
func (b *box) expunge(dir string, msgs []entry, refund *refund) (again bool, err error) {
	if len(msgs) == 0 {
		return false, nil
	}
	at, err := b.nextModSeq(dir)
	if err != nil && !disk.IsFull(err) {
		return false, err
	}
	if err != nil { // this makes room
		b.giveUpIndex(err)
	}
	gone := index.Tombstone{ModSeq: at}
	var from []int
	for _, e := range msgs {
		refund.weigh(pathOf(dir, &e))
		err = b.fsys.Remove(pathOf(dir, &e))
		if errors.Is(err, fs.ErrNotExist) {
			again, err = true, nil
			continue
		}
		if err != nil {
			break
		}
		refund.removed()
		gone.UIDs.Add(mailparts.UID(e.UID), mailparts.UID(e.UID))
		if !slices.Contains(from, int(e.Shelf)) {
			from = append(from, int(e.Shelf))
		}
	}
	if len(gone.UIDs) == 0 {
		return again, err
	}
	h := b.ix.Head
	h.Shelves = b.stamp(dir, h.Shelves, from...)
	b.commit(h, index.Change{Gone: gone}, false)
	b.releaseCached(dir)
	return again, err
}
