package maildir

import (
	"cmp"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// shelf is what the index knows of new/ or cur/: the modification time that it had
// when it was last read. A change after that gives it another time, unless both
// happen within one tick of the file system's clock. Times are nanoseconds.
//
//	MTime    the modification time; zero: it is to be read
//	Since    when MTime was seen first, by our own clock
//	Settled  it was read when no change could get MTime any more
//	Stamped  MTime is our own, in nanoseconds, so that no other has it
type shelf index.Shelf

// tick is how coarse the clock behind a modification time may be: file systems
// that keep whole seconds have one of up to two, others that of the kernel.
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
	if s.MTime == 0 || mtime.UnixNano() != s.MTime {
		return false
	}
	age := time.Duration(now.UnixNano() - s.Since)
	return s.Settled || s.Stamped && age >= 0 && age < hides(mtime, cost)
}

// hides is how long a change of our own may hide what others did in that moment.
func hides(mtime time.Time, cost time.Duration) time.Duration {
	return max(tick(mtime), 20*cost)
}

// next is the state after a reading that began at now.
func (s shelf) next(mtime, now time.Time) shelf {
	n := shelf{MTime: mtime.UnixNano(), Since: now.UnixNano()}
	if n.MTime == s.MTime {
		n.Since = min(n.Since, s.Since)
	}
	// A clock that is a minute off is one that nobody set.
	n.Settled = time.Duration(now.UnixNano()-n.Since) >= tick(mtime) || now.Sub(mtime) > time.Minute
	return n
}

// stamp makes our own change to shelves one that is known, in those that were
// known before it. The caller holds guard and brought the box up to date just
// before the change.
func (b *box) stamp(dir string, shelves [2]index.Shelf, changed ...int) [2]index.Shelf {
	defer b.changed(dir, changed...)
	for _, i := range changed {
		if shelves[i].MTime == 0 {
			continue
		}
		now := time.Unix(0, max(time.Now().UnixNano(), shelves[i].MTime+1)) // never the same twice
		shelves[i] = index.Shelf{}
		name := filepath.Join(dir, shelfNames[i])
		if err := b.fsys.Chtimes(name, now); err == nil {
			if fi, err := b.fsys.Stat(name); err == nil && fi.ModTime().Equal(now) {
				shelves[i] = index.Shelf{MTime: now.UnixNano(), Since: now.UnixNano(), Stamped: true}
				b.hidden(dir, i, shelf(shelves[i]), b.ix.Cost)
			}
		}
	}
	return shelves
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
	folders [2]bool         // which of them may have folders in it
	shelves [2]index.Shelf
	stable  bool // nothing can have moved meanwhile
	all     bool // both are read whatever their times are
	cost    time.Duration
}

// look reads new/ and then cur/, so that a message on its way from one to the other
// is seen, if in both. A shelf that is as it was is not read.
func (b *box) look(dir string) (*view, error) {
	v := &view{items: map[string]item{}, shelves: b.ix.Shelves, stable: true, all: b.distrusted()}
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
	if !v.all && shelf(v.shelves[i]).isCurrent(before.ModTime(), now, b.ix.Cost) {
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
	v.read[i], v.folders[i] = true, disk.HasFolders(after)
	v.cost += time.Since(now)
	v.shelves[i] = index.Shelf(shelf(v.shelves[i]).next(before.ModTime(), now))
	if !v.shelves[i].Settled || !after.ModTime().Equal(before.ModTime()) {
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
