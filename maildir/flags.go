package maildir

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// SetFlags renames files: of each message the change is there or not. It is durable
// when it returns, and a message that moves from new/ to cur/ is durable in one of
// them at any time. Of system flags only those of RFC 9051 are kept.
func (m *mailbox) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (at mailparts.ModSeq, stale mailparts.UIDSet, err error) {
	var own []uint64 // mod-sequences: each round, of which one mostly does, has its own
	tried := false
	err = m.change(ctx, func(dir string) (again bool, err error) {
		set, err := m.flagsFor(ctx, dir, c.Flags, c.Op != mailparts.RemoveFlags)
		if err != nil {
			return false, err
		}
		apply := applier(c.Op, set)
		stale = nil
		msgs := m.pick(uids, func(e *entry) bool {
			if c.UnchangedSince != 0 && e.ModSeq > uint64(c.UnchangedSince) && !slices.Contains(own, e.ModSeq) {
				stale.Add(mailparts.UID(e.UID), mailparts.UID(e.UID))
				return false
			}
			return apply(flagSet(e.Flags)) != flagSet(e.Flags)
		})
		if len(msgs) == 0 {
			return false, nil
		}
		next, err := m.nextModSeq(dir)
		if err != nil {
			return false, err
		}
		at, tried = mailparts.ModSeq(next), true
		again, err = m.setFlags(dir, msgs, next, apply)
		if m.ix.HighestModSeq == next { // or what others did may get it
			own = append(own, next)
		}
		return again, err
	})
	if tried {
		err = errors.Join(err, m.sync([]int{curShelf}))
	}
	if m.isUnsaved() {
		at = 0
	}
	return at, stale, quota(err)
}

// applier returns what becomes of a message's flags.
func applier(op mailparts.FlagOp, set flagSet) func(flagSet) flagSet {
	switch op {
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
	return b.changeLocked(ctx, op)
}

// changeLocked is change for who holds the box's lock. It takes the uidlist's dotlock
// too, which keeps Dovecot from reading the folders meanwhile: a file that is renamed
// then may be overlooked, and Dovecot takes that for an expunge. On a full disk it has
// to do without: removing messages makes room.
func (b *box) changeLocked(ctx context.Context, op func(dir string) (again bool, err error)) error {
	unlock, err := b.lockList(ctx)
	if err != nil && !disk.IsFull(err) {
		return err
	}
	if err == nil {
		defer unlock()
	}
	for range maxLooks {
		if err := b.catchUp(ctx, needEntries); err != nil {
			return err
		}
		again, err := op(b.path())
		if err == nil && !again {
			b.compact(ctx, b.path())
			return nil
		}
		b.distrustShelves()
		if err != nil {
			return err
		}
	}
	return errMoving
}

// errMoving means that another program renames files faster than we can follow.
var errMoving = errors.New("messages change their files' names too often")

// setFlags renames what is in cur/ and moves what is in new/.
func (b *box) setFlags(dir string, msgs []entry, at uint64, apply func(flagSet) flagSet) (again bool, err error) {
	var changed, fresh, moved []entry
	for _, e := range msgs {
		to := e
		to.ModSeq, to.Flags, to.Shelf = at, uint32(apply(flagSet(e.Flags))), curShelf
		to.Name = withFlags(e.Name, flagSet(to.Flags))
		if e.Shelf == newShelf {
			err = b.link(pathOf(dir, &e), pathOf(dir, &to))
		} else {
			err = disk.RenameFile(b.fsys, pathOf(dir, &e), pathOf(dir, &to))
		}
		if errors.Is(err, fs.ErrNotExist) {
			again, err = true, nil
			continue
		}
		if err != nil {
			break
		}
		if e.Shelf == newShelf {
			fresh, moved = append(fresh, e), append(moved, to)
		} else {
			changed = append(changed, to)
		}
	}
	lerr := b.leave(dir, fresh)
	if errors.Is(lerr, fs.ErrNotExist) {
		again, lerr = true, nil // it has a third name
		moved = nil
	} else if lerr != nil {
		moved = nil
	}
	b.commitMoves(dir, append(changed, moved...), len(fresh) > 0, true)
	return again, errors.Join(err, lerr)
}

// commitMoves shows messages whose files are in cur/ under the names given now.
func (b *box) commitMoves(dir string, moved []entry, fromNew, durable bool) {
	if len(moved) == 0 {
		return
	}
	slices.SortFunc(moved, func(x, y entry) int { return cmp.Compare(x.UID, y.UID) })
	h := b.ix.Head
	h.Shelves = b.stamp(dir, h.Shelves, curShelf)
	if fromNew {
		h.Shelves = b.stamp(dir, h.Shelves, newShelf)
	}
	b.commit(h, index.Change{Put: moved}, durable)
}

// leaveNew moves messages from new/ to cur/, with the flags that they have. One whose
// name would get too long stays.
func (b *box) leaveNew(dir string, msgs []entry) (again bool, err error) {
	if len(msgs) == 0 {
		return false, nil
	}
	fresh, moved := make([]entry, 0, len(msgs)), make([]entry, 0, len(msgs))
	for _, e := range msgs {
		to := e
		to.Shelf, to.Name = curShelf, withFlags(e.Name, flagSet(e.Flags))
		err := b.link(pathOf(dir, &e), pathOf(dir, &to))
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		if errors.Is(err, syscall.ENAMETOOLONG) {
			continue // another program's name has no room for an info
		}
		if err != nil {
			return false, err
		}
		fresh, moved = append(fresh, e), append(moved, to)
	}
	if err := b.leave(dir, fresh); errors.Is(err, fs.ErrNotExist) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	b.commitMoves(dir, moved, true, false)
	return false, nil
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

// leave removes from new/ what has a name in cur/. What it cannot remove the next
// look will: see part.
func (b *box) leave(dir string, fresh []entry) error {
	if len(fresh) == 0 {
		return nil
	}
	if err := b.fsys.SyncDir(filepath.Join(dir, shelfNames[curShelf])); err != nil {
		return err
	}
	for _, e := range fresh {
		if err := b.fsys.Remove(pathOf(dir, &e)); err != nil {
			return err
		}
	}
	return nil
}

// flagsFor returns the bits of flags in this mailbox. With add, keywords that it
// does not have yet become its own: ErrLimit if there is no room. The caller holds
// guard.
func (b *box) flagsFor(ctx context.Context, dir string, flags []mailparts.Flag, add bool) (flagSet, error) {
	set, unknown := b.bits(flags)
	if len(unknown) == 0 {
		return set, b.keepKeywords(dir, set, add)
	}
	if err := b.readKeywordsOf(dir); err != nil {
		return 0, err
	}
	if set, unknown = b.bits(flags); len(unknown) == 0 || !add {
		return set, b.keepKeywords(dir, set, add)
	}
	for _, f := range unknown {
		if err := checkKeyword(f); err != nil {
			return 0, err
		}
	}
	unlock, err := b.lockList(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if b.level() < needEntries {
		if err := b.catchUp(ctx, needEntries); err != nil {
			return 0, err
		}
	}
	keys, _, err := b.readKeywords(dir)
	if err != nil {
		return 0, err
	}
	keys.claim(b.letters())
	if changed, err := keys.add(unknown...); err != nil {
		return 0, err
	} else if changed {
		if err := b.writeKeywords(dir, keys); err != nil {
			return 0, err
		}
	}
	if err := b.readKeywordsOf(dir); err != nil {
		return 0, err
	}
	set, _ = b.bits(flags)
	return set, b.keepKeywords(dir, set, add)
}

// keepKeywords makes the names of keywords durable that are to be given to messages:
// who wrote them may have failed to, or may not have come to it.
func (b *box) keepKeywords(dir string, set flagSet, add bool) error {
	if !add || set&^systemFlags == 0 || b.keysKept {
		return nil
	}
	err := b.fsys.SyncDir(dir)
	b.keysKept = err == nil
	return err
}

// letters are the keywords that messages carry, with a name or without.
func (b *box) letters() (used uint32) {
	for i := range b.ix.Entries {
		used |= b.ix.Entries[i].Flags
	}
	return used >> firstKeyword
}

// bits returns the flags that the mailbox has, and those keywords that it has not.
func (b *box) bits(flags []mailparts.Flag) (set flagSet, unknown []mailparts.Flag) {
	for _, f := range flags {
		switch {
		case f == "":
		case f[0] == '\\':
			set |= systemFlag(f)
		default:
			if bit, ok := b.keywords.find(f); ok {
				set |= 1 << (firstKeyword + bit)
			} else {
				unknown = append(unknown, f)
			}
		}
	}
	return set, unknown
}

// flagList returns the names of flags, in a slice that messages share. The caller
// holds mu.
func (b *box) flagList(set flagSet) []mailparts.Flag {
	if set&^systemFlags == 0 {
		return flagLists[set]
	}
	if list, ok := b.flags[set]; ok {
		return list
	}
	list := slices.Clone(flagLists[set&systemFlags])
	for i, name := range b.keywords.names() {
		if name != "" && set&(1<<(firstKeyword+i)) != 0 {
			list = append(list, name)
		}
	}
	b.flags[set] = list
	return list
}
