package maildir

import (
	"cmp"
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
)

// refresh makes the box show what is on disk, at the price of three stats if
// nothing has changed.
func (b *box) refresh(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	called := time.Now()
	if current, err := b.isCurrent(); current || err != nil {
		return err
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if b.looked.After(called) { // another caller has done it
		return nil
	}
	return b.update(ctx, false)
}

func (b *box) isCurrent() (bool, error) {
	b.mu.Lock()
	dir, gone, loaded, l, shelves, cost := b.dir, b.gone, b.loaded, b.list, b.shelves, b.cost
	b.mu.Unlock()
	if gone {
		return false, mailparts.ErrNoMailbox
	}
	if !loaded {
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
	}
	return true, nil
}

// catchUp is refresh for who holds the box's lock, and the uidlist's dotlock if
// listLocked.
func (b *box) catchUp(ctx context.Context, listLocked bool) error {
	if current, err := b.isCurrent(); current || err != nil {
		return err
	}
	return b.update(ctx, listLocked)
}

// forgetShelves makes the next refresh look at both shelves.
func (b *box) forgetShelves() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shelves = [2]shelf{}
}

// maxLooks is how often update looks until it believes that a file is gone.
const maxLooks = 5

// update brings the box up to date, and gives UIDs to messages that others have
// left. The caller holds the box's lock, and the uidlist's dotlock if listLocked.
func (b *box) update(ctx context.Context, listLocked bool) (err error) {
	defer func() {
		if err != nil { // what was read of the list and not taken in is read again
			b.mu.Lock()
			b.list.info = nil
			b.mu.Unlock()
		}
	}()
	dir := b.path()
	u := update{box: b, known: map[string]listLine{}}
	for looks := 1; ; looks++ {
		began := time.Now()
		if err := u.readList(dir, !b.loaded && looks == 1); err != nil {
			return err
		}
		if u.view, err = b.look(dir); err != nil {
			return err
		}
		u.match()
		if looks < maxLooks && u.mayBeThere() {
			continue
		}
		if len(u.strangers) > 0 && !listLocked {
			unlock, err := b.dotlock(ctx, filepath.Join(dir, listName))
			if err == nil {
				defer unlock()
				listLocked = true
				continue // others may have given them UIDs meanwhile
			}
			if err := u.postpone(dir, err); err != nil {
				return err
			}
		} else if err := u.number(dir); err != nil {
			return err
		}
		if u.publish(began); b.next > math.MaxUint32 {
			return b.foreign(dir, errUsedUp)
		}
		if !listLocked {
			b.compact(ctx, dir)
		}
		return nil
	}
}

// update is one in progress.
type update struct {
	*box
	known map[string]listLine // lines read in this update, by base
	whole bool                // they are all there are
	*view
	entries   []entry
	strangers []item          // without a UID
	missing   map[string]bool // bases that were there and are not seen
	before    map[string]bool // missing at the look before
}

func (u *update) readList(dir string, all bool) error {
	lines, whole, err := u.box.readList(dir, all)
	if err != nil {
		return err
	}
	if whole {
		u.whole = true
		clear(u.known)
	}
	for _, l := range lines {
		u.known[l.base] = l
	}
	return nil
}

// match finds out what became of each message, and what is new. A UID in the list
// counts if nobody was told that UIDs so low come no more.
func (u *update) match() {
	u.entries, u.strangers = make([]entry, 0, len(u.box.entries)+len(u.items)), nil
	u.before, u.missing = u.missing, map[string]bool{}
	for _, e := range u.box.entries {
		key := e.key()
		it, seen := u.items[key]
		if !seen && !u.read[e.shelf] {
			it, seen = item{e.name, e.shelf}, true
		}
		l, listed := u.known[key]
		switch {
		case !seen:
			u.missing[key] = true
		case listed && l.uid != e.uid || u.whole && !listed: // another process gave it another UID
			u.items[key] = it
		default:
			if it.name != e.name || it.shelf != e.shelf {
				e = newEntry(e.uid, it.shelf, it.name)
			}
			u.entries = append(u.entries, e)
			delete(u.items, key)
		}
	}
	var floor uint64
	if u.loaded {
		floor = u.next
	}
	for key, it := range u.items {
		if l, listed := u.known[key]; listed && uint64(l.uid) >= floor {
			u.entries = append(u.entries, newEntry(l.uid, it.shelf, it.name))
		} else if !u.isFolder(it) {
			u.strangers = append(u.strangers, it)
		}
	}
	slices.SortFunc(u.entries, func(a, b entry) int { return cmp.Compare(a.uid, b.uid) })
	if u.loaded {
		return
	}
	for key := range u.known {
		if _, seen := u.items[key]; !seen {
			u.missing[key] = true
		}
	}
}

// isFolder finds what is no message. Names with a size need no look.
func (u *update) isFolder(it item) bool {
	if sizeIn(baseOf(it.name), diskSize) >= 0 {
		return false
	}
	fi, err := u.fsys.Stat(filepath.Join(u.path(), shelfNames[it.shelf], it.name))
	return err == nil && fi.IsDir()
}

// mayBeThere reports whether a message that is missing may have been overlooked
// because it was renamed in that moment: a second look confirms that it is gone.
func (u *update) mayBeThere() bool {
	if u.stable {
		return false
	}
	for key := range u.missing {
		if !u.before[key] {
			return true
		}
	}
	return false
}

// number gives UIDs to strangers, in the order in which they came.
func (u *update) number(dir string) error {
	if len(u.strangers) == 0 {
		return nil
	}
	slices.SortFunc(u.strangers, func(a, b item) int { return arrival(a.name, b.name) })
	bases := make([]string, len(u.strangers))
	for i, it := range u.strangers {
		bases[i] = baseOf(it.name)
	}
	first, err := u.box.number(dir, bases)
	if err != nil {
		return u.postpone(dir, err)
	}
	u.waiting = false
	for i, it := range u.strangers {
		u.entries = append(u.entries, newEntry(first+mailparts.UID(i), it.shelf, it.name))
	}
	return nil
}

// postpone leaves the strangers to the next look if the disk is full: the user
// must be able to see the others and make room.
func (u *update) postpone(dir string, err error) error {
	if !isFull(err) {
		return err
	}
	if !u.waiting {
		u.log.Error("new messages wait for room to write their UIDs", "mailbox", dir, "messages", len(u.strangers), "error", err)
	}
	u.waiting = true
	u.view.shelves = [2]shelf{}
	return nil
}

// isFull reports whether err is for want of room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// publish shows the result to readers.
func (u *update) publish(began time.Time) {
	b := u.box
	b.mu.Lock()
	defer b.mu.Unlock()
	sizes := u.sizes()
	b.entries, b.sizes, b.shelves, b.loaded = u.entries, sizes, u.view.shelves, true
	b.next = b.nextUID()
	b.looked = began
	if u.view.cost > 0 {
		b.cost = u.view.cost
	}
}

// sizes keeps those of messages that are still there, and takes others from the
// list. The caller holds mu.
func (u *update) sizes() map[mailparts.UID]int64 {
	sizes := map[mailparts.UID]int64{}
	if len(u.box.sizes) == 0 && len(u.known) == 0 {
		return sizes
	}
	for i := range u.entries {
		e := &u.entries[i]
		if n, ok := u.box.sizes[e.uid]; ok {
			sizes[e.uid] = n
		} else if n := u.known[e.key()].wire(); n >= 0 && sizeIn(e.key(), wireSize) < 0 {
			sizes[e.uid] = n
		}
	}
	return sizes
}
