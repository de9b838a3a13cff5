package maildir

import (
	"cmp"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// shelf is what a box knows of its new/ or cur/: the modification time that it had
// when it was last read. A change after that gives it another time, unless both
// happen within one tick of the file system's clock.
type shelf struct {
	mtime   time.Time
	since   time.Time // when mtime was seen first, by our own clock
	settled bool      // it was read when no change could get mtime any more
	stamped bool      // mtime is our own, in nanoseconds, so that no other has it
}

// tick is how coarse the clock behind mtime may be: file systems that keep whole
// seconds have one of up to two, others that of the kernel.
func tick(mtime time.Time) time.Duration {
	if mtime.Nanosecond() == 0 {
		return 2 * time.Second
	}
	return 20 * time.Millisecond
}

// isCurrent reports whether nothing has changed since the shelf was read. After a
// change of our own, what others did in that moment is looked for a little later;
// cost, which is what a look costs, bounds how often.
func (s shelf) isCurrent(mtime, now time.Time, cost time.Duration) bool {
	if !mtime.Equal(s.mtime) || s.mtime.IsZero() {
		return false
	}
	return s.settled || s.stamped && now.Sub(s.since) < max(tick(mtime), 20*cost)
}

// next is the state after a reading that began at now.
func (s shelf) next(mtime, now time.Time) shelf {
	n := shelf{mtime: mtime, since: now}
	if mtime.Equal(s.mtime) {
		n.since = s.since
	}
	// A clock that is a minute off is one that nobody set.
	n.settled = now.Sub(n.since) >= tick(mtime) || now.Sub(mtime) > time.Minute
	return n
}

// adopt makes our own change to a shelf one that is known, if it was known before.
// The caller holds guard and brought the box up to date just before the change.
func (b *box) adopt(dir string, shelves ...int) {
	for _, i := range shelves {
		b.mu.Lock()
		known := !b.shelves[i].mtime.IsZero()
		b.mu.Unlock()
		if !known {
			continue
		}
		name := filepath.Join(dir, shelfNames[i])
		now := time.Now().Round(0)
		s := shelf{}
		if err := b.fsys.Chtimes(name, now); err == nil {
			if fi, err := b.fsys.Stat(name); err == nil && fi.ModTime().Equal(now) {
				s = shelf{mtime: now, since: now, stamped: true}
			}
		}
		b.mu.Lock()
		b.shelves[i] = s
		b.mu.Unlock()
	}
}

// item is a file in a shelf.
type item struct {
	name  string
	shelf uint8
}

// view is one look at both shelves.
type view struct {
	items   map[string]item // by base
	read    [2]bool         // which of them; what is in the other has not changed
	shelves [2]shelf
	stable  bool // nothing can have moved meanwhile
	cost    time.Duration
}

// look reads new/ and then cur/, so that a message on its way from one to the other
// is seen, if in both.
func (b *box) look(dir string) (*view, error) {
	b.mu.Lock()
	v := &view{items: map[string]item{}, shelves: b.shelves, stable: true}
	b.mu.Unlock()
	for i := range v.shelves {
		if err := b.readShelf(dir, i, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (b *box) readShelf(dir string, i int, v *view) error {
	path := filepath.Join(dir, shelfNames[i])
	now := time.Now()
	before, err := b.fsys.Stat(path)
	if err != nil {
		return err
	}
	if b.loaded && v.shelves[i].isCurrent(before.ModTime(), now, b.cost) {
		return nil
	}
	names, err := b.fsys.ReadDir(path)
	if err != nil {
		return err
	}
	after, err := b.fsys.Stat(path)
	if err != nil {
		return err
	}
	v.read[i] = true
	v.cost += time.Since(now)
	v.shelves[i] = v.shelves[i].next(before.ModTime(), now)
	if !v.shelves[i].settled || !after.ModTime().Equal(before.ModTime()) {
		v.stable = false
	}
	for _, name := range names {
		if !validName(name) {
			continue
		}
		it := item{name, uint8(i)}
		key := baseOf(name)
		if twin, ok := v.items[key]; ok {
			if it, err = b.part(dir, twin, it); err != nil {
				return err
			}
		}
		v.items[key] = it
	}
	return nil
}

// part decides between two files with one base, and returns the one that has it.
// Mostly one was renamed to the other meanwhile. If both are there and are one
// file, which a crash in the midst of a move leaves, a name is removed; if they are
// two, one gets a base of its own, and so a UID.
func (b *box) part(dir string, x, y item) (item, error) {
	if cmp.Or(cmp.Compare(x.shelf, y.shelf), cmp.Compare(len(x.name), len(y.name)), cmp.Compare(x.name, y.name)) < 0 {
		x, y = y, x
	}
	xPath := filepath.Join(dir, shelfNames[x.shelf], x.name)
	yPath := filepath.Join(dir, shelfNames[y.shelf], y.name)
	yInfo, err := b.fsys.Stat(yPath)
	if err != nil {
		return x, nil
	}
	xInfo, err := b.fsys.Stat(xPath)
	if err != nil {
		return y, nil
	}
	if disk.SameFile(xInfo, yInfo) {
		if b.fsys.SyncDir(filepath.Dir(xPath)) == nil {
			b.fsys.Remove(yPath) // if it fails, the next look tries again
		}
		return x, nil
	}
	name := b.names.unique(time.Now()) + y.name[len(baseOf(y.name)):]
	b.log.Warn("two messages had one base", "mailbox", dir, "base", baseOf(y.name), "renamed", name)
	return x, b.fsys.Rename(yPath, filepath.Join(dir, shelfNames[y.shelf], name))
}
