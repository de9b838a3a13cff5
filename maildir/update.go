package maildir

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// refresh makes the box show what is on disk, at the price of three stats if
// nothing has changed.
func (b *box) refresh(ctx context.Context, need need) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	called := time.Now()
	if current, err := b.isCurrent(need); current || err != nil {
		return err
	}
	if need == needHead {
		if err := b.peek(ctx); err != nil {
			return err
		}
		if current, err := b.isCurrent(need); current || err != nil {
			return err
		}
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if b.known && b.looked.After(called) && b.level() >= need { // another caller has done it
		return nil
	}
	return b.catchUp(ctx, need)
}

// hold is refresh for who then looks at what need asks for: it returns with mu held.
// Between a refresh and that, another caller may have begun to make the index anew,
// and then there is nothing to see until that is done.
func (b *box) hold(ctx context.Context, need need) error {
	if err := b.refresh(ctx, need); err != nil {
		return err
	}
	return b.holdKnown(ctx, need)
}

// holdKnown is hold for who did a refresh before.
func (b *box) holdKnown(ctx context.Context, need need) error {
	for range maxLooks {
		b.mu.Lock()
		if b.known && b.level() >= need {
			return nil
		}
		b.mu.Unlock()
		if err := b.refresh(ctx, need); err != nil {
			return err
		}
	}
	return errMoving
}

// isCurrent reports whether all that need asks for is known as it is on disk now.
func (b *box) isCurrent(need need) (bool, error) {
	b.mu.Lock()
	dir, gone, l := b.dir, b.gone, b.list
	known := b.known && b.level() >= need && !b.distrust
	var shelves [2]shelf
	var cost time.Duration
	if known {
		shelves, cost = [2]shelf{shelf(b.ix.Shelves[0]), shelf(b.ix.Shelves[1])}, b.ix.Cost
	}
	b.mu.Unlock()
	if gone {
		return false, mailparts.ErrNoMailbox
	}
	if !known {
		return false, nil
	}
	if fi, err := b.fsys.Stat(filepath.Join(dir, listName)); err != nil || !l.isCurrent(fi) {
		return false, nil
	}
	for i, s := range shelves {
		fi, err := b.fsys.Stat(filepath.Join(dir, shelfNames[i]))
		if err != nil || !s.isCurrent(fi.ModTime(), time.Now(), cost) {
			return false, nil
		}
		b.hidden(dir, i, s, cost)
	}
	return true, nil
}

// catchUp is refresh for who holds the box's lock. What other processes of our kind
// did is in the index; for what others did there is a look at the files.
func (b *box) catchUp(ctx context.Context, need need) error {
	dir := b.path()
	if err := b.recall(dir); err != nil {
		return err
	}
	if err := b.readIndex(dir, need); err != nil {
		return err
	}
	if b.known && b.fresh {
		if current, err := b.isCurrent(need); current || err != nil {
			return err
		}
	}
	return b.update(ctx)
}

// distrustShelves makes the next refresh look at both shelves.
func (b *box) distrustShelves() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.distrust = true
}

func (b *box) distrusted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.distrust
}

// maxLooks is how often update looks until it believes that a file is gone.
const maxLooks = 5

// update brings the box up to date with the files, and gives UIDs to messages that
// others have left. The caller holds the box's lock and has read the index.
func (b *box) update(ctx context.Context) (err error) {
	defer func() {
		if err != nil { // what was read of the list and not taken in is read again
			b.mu.Lock()
			b.list.ID = 0
			b.mu.Unlock()
		}
	}()
	dir := b.path()
	if b.known && !b.ix.Loaded() {
		if err := b.loadIndex(dir, needEntries); err != nil {
			return err
		}
	}
	u := newUpdate(b)
	for looks := 1; ; looks++ {
		began := time.Now()
		if err := u.readList(dir, looks == 1); err != nil {
			return err
		}
		if u.before = nil; u.view != nil && u.bothRead() {
			u.before = u.missing
		}
		if u.view, err = u.look(dir); err != nil {
			return err
		}
		if err := u.match(dir); err != nil {
			return err
		}
		if u.unsure = u.confirm(); (u.unsure || u.announced && !u.bothRead()) && looks < maxLooks {
			b.distrustShelves()
			continue
		}
		// Dovecot writes a line before its file has the name, or after, and has the
		// dotlock until both are done.
		if (len(u.strangers) > 0 || u.announced) && !b.listLocked {
			unlock, err := b.lockList(ctx)
			if err == nil {
				defer unlock()
				continue // others may have given them UIDs meanwhile
			}
			if err := u.postpone(dir, err); err != nil {
				return err
			}
		} else if err := u.number(dir); err != nil {
			return err
		}
		if b.nextUID() > maxUID {
			return b.foreign(dir, errUsedUp)
		}
		if err := u.publish(dir, began); err != nil {
			return err
		}
		b.compact(ctx, dir)
		return nil
	}
}

// postpone leaves the strangers to the next look if the disk is full: the user
// must be able to see the others and make room.
func (u *update) postpone(dir string, err error) error {
	if !disk.IsFull(err) {
		return err
	}
	if !u.waiting {
		u.log.Error("new messages wait for room to write their UIDs", "mailbox", dir, "messages", len(u.strangers), "error", err)
	}
	u.waiting = true
	u.view.shelves = [2]index.Shelf{}
	return nil
}

// isFolder finds what is no message.
func (u *update) isFolder(it item) bool {
	if !u.folders[it.shelf] {
		return false
	}
	fi, err := u.fsys.Stat(filepath.Join(u.path(), shelfNames[it.shelf], it.name))
	return err == nil && fi.IsDir()
}

// readKeywordsOf reads the names of keywords, if the file is another than it was.
func (b *box) readKeywordsOf(dir string) error {
	fi, err := b.fsys.Stat(filepath.Join(dir, keywordsName))
	if errors.Is(err, fs.ErrNotExist) {
		fi = nil
	} else if err != nil {
		return err
	}
	if fi == nil && b.keysInfo == nil || fi != nil && b.keysInfo != nil && disk.SameFile(fi, b.keysInfo) &&
		fi.Size() == b.keysInfo.Size() && fi.ModTime().Equal(b.keysInfo.ModTime()) {
		return nil
	}
	keys, fi, err := b.readKeywords(dir)
	if err != nil {
		return err
	}
	b.setKeywords(keys, fi)
	return nil
}

func (b *box) setKeywords(keys keywords, fi fs.FileInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keywords, b.keysInfo, b.keysKept = keys, fi, false
	clear(b.flags)
}
