package maildir

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/mailparts/mailparts"
)

// SetFlags renames files: of each message the change is there or not. It becomes
// durable when the system likes, but a message that moves from new/ to cur/ is
// durable in one of them at any time. Keywords are not kept.
func (m *mailbox) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	apply := applier(c)
	err := m.change(ctx, func(dir string) (again bool, err error) {
		msgs := m.pick(uids, func(e *entry) bool { return apply(e.flags) != e.flags })
		return m.setFlags(dir, msgs, apply)
	})
	return 0, nil, quota(err)
}

// applier returns what becomes of a message's flags.
func applier(c mailparts.FlagChange) func(flagSet) flagSet {
	set := setOf(c.Flags)
	switch c.Op {
	case mailparts.AddFlags:
		return func(flags flagSet) flagSet { return flags | set }
	case mailparts.RemoveFlags:
		return func(flags flagSet) flagSet { return flags &^ set }
	}
	return func(flagSet) flagSet { return set }
}

// change calls op with the box locked and up to date. Op says again if files were
// no longer where the box had them.
func (b *box) change(ctx context.Context, op func(dir string) (again bool, err error)) error {
	unlock, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for range maxLooks {
		if err := b.catchUp(ctx, false); err != nil {
			return err
		}
		again, err := op(b.path())
		if err == nil && !again {
			b.compact(ctx, b.path())
			return nil
		}
		b.forgetShelves()
		if err != nil {
			return err
		}
	}
	return errMoving
}

// errMoving means that another program renames files faster than we can follow.
var errMoving = errors.New("messages change their files' names too often")

// setFlags renames what is in cur/ and moves what is in new/.
func (b *box) setFlags(dir string, msgs []entry, apply func(flagSet) flagSet) (again bool, err error) {
	var changed, fresh, moved []entry
	for _, e := range msgs {
		to := newEntry(e.uid, curShelf, withFlags(e.name, apply(e.flags)))
		if e.shelf == newShelf {
			err = b.link(e.path(dir), to.path(dir))
		} else {
			err = b.fsys.Rename(e.path(dir), to.path(dir))
		}
		if errors.Is(err, fs.ErrNotExist) {
			again, err = true, nil
			continue
		}
		if err != nil {
			break
		}
		if e.shelf == newShelf {
			fresh, moved = append(fresh, e), append(moved, to)
		} else {
			changed = append(changed, to)
		}
	}
	if len(fresh) > 0 {
		lerr := b.leaveNew(dir, fresh)
		if errors.Is(lerr, fs.ErrNotExist) {
			return true, err // it has a third name
		}
		if lerr != nil {
			return again, errors.Join(err, lerr)
		}
		changed = append(changed, moved...)
	}
	b.setEntries(changed)
	if len(changed) > 0 {
		b.adopt(dir, curShelf)
	}
	if len(fresh) > 0 {
		b.adopt(dir, newShelf)
	}
	return again, err
}

func (b *box) setEntries(changed []entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range changed {
		if i, ok := b.index(e.uid); ok {
			b.entries[i] = e
		}
	}
}

// link gives a file in new/ a second name in cur/. The first one goes when the
// second is durable: a sync of new/ alone, for another message, must not lose this
// one. Where there are no links a rename must do.
func (b *box) link(from, to string) error {
	err := b.fsys.Link(from, to)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		return b.fsys.Rename(from, to)
	}
	return err
}

// leaveNew removes from new/ what has a name in cur/. What it cannot remove the
// next look will: see part.
func (b *box) leaveNew(dir string, fresh []entry) error {
	if err := b.fsys.SyncDir(filepath.Join(dir, shelfNames[curShelf])); err != nil {
		return err
	}
	for _, e := range fresh {
		if err := b.fsys.Remove(e.path(dir)); err != nil {
			return err
		}
	}
	return nil
}
