package maildir

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// A mailbox's messages are in two folders.
const (
	newShelf = iota // as they came; Dovecot gives flags to some here
	curShelf
)

var shelfNames = [2]string{"new", "cur"}

// entry is a message of a box.
type entry = index.Entry

func newEntry(uid mailparts.UID, shelf uint8, name string) entry {
	base := baseOf(name)
	return entry{
		Name: name, UID: uint32(uid), Base: uint16(len(base)), Flags: uint32(flagsIn(name)), Shelf: shelf,
		Size: sizeIn(base, wireSize),
	}
}

// keyOf is the base of an entry's file, which names the message for good.
func keyOf(e *entry) string { return e.Name[:e.Base] }

func pathOf(dir string, e *entry) string { return filepath.Join(dir, shelfNames[e.Shelf], e.Name) }

// identity tells one mailbox from another that has had the same name: by its cur/,
// which keeps its inode in a rename, and its UIDVALIDITY. The guid is Dovecot's, or
// empty.
type identity struct {
	cur      fs.FileInfo
	validity uint32
	guid     string
}

func (id identity) is(other identity) bool {
	return id.validity == other.validity && disk.SameFile(id.cur, other.cur)
}

// box is what all handles to a mailbox in this process share. That another box
// for it may be in another process is no different from one in this.
type box struct {
	*Backend
	identity
	root string // of the tree

	// guard is held, together with changeLock, by who changes the mailbox or
	// brings what follows up to date.
	guard     chan struct{}
	syncs     [2]syncGroup // of new/ and cur/
	newcomers newcomers

	mu sync.Mutex // for all that follows

	// Anyone may write these.
	dir      string // of the mailbox, until it is renamed
	gone     bool
	distrust bool      // the shelves are to be looked at whatever their times are
	swept    time.Time // when tmp/ was
	maps     mapCache  // has a lock of its own
	learned  map[uint32]learned
	flags    map[flagSet][]mailparts.Flag // of those with keywords
	outline  outline

	// Only the holder of guard writes these, and so may read them without mu.
	known      bool         // ix is what was on disk at a time
	ix         *index.State // it has entries if they were asked for
	fresh      bool         // ix is from this run of the machine, and goes on from there
	unsaved    bool         // ix is not what is on disk: mod-sequences are not shown
	keywords   keywords
	keysInfo   fs.FileInfo // of the file when they were read; nil: there is none
	keysKept   bool        // the file is durable
	looked     time.Time
	list       list
	issue      issue
	waiting    bool // the disk is too full to give messages their UIDs
	listLocked bool // who holds guard has the dotlock of the uidlist too
}

// path is where the mailbox is, as far as known.
func (b *box) path() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dir
}

// lookUp returns the message as it is now, or ErrNoMessage.
func (b *box) lookUp(ctx context.Context, uid mailparts.UID) (entry, error) {
	if err := b.hold(ctx, needEntries); err != nil {
		return entry{}, err
	}
	defer b.mu.Unlock()
	if i, ok := b.index(uint32(uid)); ok {
		return b.ix.Entries[i], nil
	}
	return entry{}, mailparts.ErrNoMessage
}

// remember is lookUp without a look at the disk, for who opens the file next: if that is
// there it is the message's, and if not, follow looks.
func (b *box) remember(uid mailparts.UID) (entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone || b.distrust || !b.known || b.level() < needEntries {
		return entry{}, false
	}
	if i, ok := b.index(uint32(uid)); ok {
		return b.ix.Entries[i], true
	}
	return entry{}, false
}

// find is lookUp for who holds guard and has caught up with all entries.
func (b *box) find(uid mailparts.UID) (entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, ok := b.index(uint32(uid)); ok {
		return b.ix.Entries[i], true
	}
	return entry{}, false
}

// index is where uid is among the entries, or would be. The caller holds mu or
// guard.
func (b *box) index(uid uint32) (int, bool) { return find(b.ix.Entries, uid) }

func find(entries []entry, uid uint32) (int, bool) {
	i := sort.Search(len(entries), func(i int) bool { return entries[i].UID >= uid })
	return i, i < len(entries) && entries[i].UID == uid
}

// pick copies those of uids that are there and that which takes. The caller holds
// mu or guard.
func (b *box) pick(uids mailparts.UIDSet, which func(*entry) bool) (msgs []entry) {
	for _, r := range uids {
		for i, _ := b.index(uint32(r.First)); i < len(b.ix.Entries) && b.ix.Entries[i].UID <= uint32(r.Last); i++ {
			if which(&b.ix.Entries[i]) {
				msgs = append(msgs, b.ix.Entries[i])
			}
		}
	}
	return msgs
}

// lock makes the caller the one who changes the mailbox, whose path is then right
// until unlock.
func (b *box) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case b.guard <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return b.lockGuarded(ctx)
}

// lockGuarded is the rest of lock for who holds guard.
func (b *box) lockGuarded(ctx context.Context) (unlock func(), err error) {
	var held interface{ Close() error }
	err = b.try(func(dir string) error {
		if held, err = b.lockFile(ctx, filepath.Join(dir, changeLock)); err != nil {
			return err
		}
		if err = b.check(dir); err != nil {
			held.Close()
		}
		return err
	})
	if err != nil {
		<-b.guard
		return nil, err
	}
	return func() {
		held.Close()
		<-b.guard
	}, nil
}

// try calls op with the mailbox's path, and again if it says fs.ErrNotExist and
// the mailbox is no longer there. Once it is nowhere, that is ErrNoMailbox.
func (b *box) try(op func(dir string) error) error {
	for {
		b.mu.Lock()
		dir, gone := b.dir, b.gone
		b.mu.Unlock()
		if gone {
			return mailparts.ErrNoMailbox
		}
		err := op(dir)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if cerr := b.check(dir); !errors.Is(cerr, fs.ErrNotExist) {
			return cmp.Or(cerr, err)
		}
		if err := b.relocate(); err != nil {
			return err
		}
	}
}

// check says fs.ErrNotExist unless the folder at dir is the mailbox's.
func (b *box) check(dir string) error {
	fi, err := b.fsys.Stat(filepath.Join(dir, "cur"))
	if isAbsent(err) || err == nil && !disk.SameFile(fi, b.cur) {
		return fs.ErrNotExist
	}
	return err
}

// relocate finds the mailbox under the name that it was given. It looks twice, lest
// the mailbox is renamed again meanwhile, to where it has looked.
func (b *box) relocate() error {
	for range 2 {
		if found, err := b.search(); found || err != nil {
			return err
		}
	}
	return b.lost()
}

func (b *box) search() (found bool, err error) {
	for folder, err := range b.folders(b.root) {
		if errors.Is(err, fs.ErrNotExist) { // not even the tree is there
			return false, nil
		}
		dir := filepath.Join(b.root, folder.path)
		if err == nil {
			err = b.check(dir)
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var id identity
		if err == nil {
			id, err = b.identify(dir)
		}
		if err == nil && id.is(b.identity) {
			b.mu.Lock()
			b.dir = dir
			b.mu.Unlock()
			return true, nil
		}
		if err != nil && !errors.Is(err, errUnmade) && !errors.Is(err, mailparts.ErrNoMailbox) {
			return false, err
		}
	}
	return false, nil
}

// lost ends the box: its mailbox or its UIDVALIDITY is gone.
func (b *box) lost() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = true
	return mailparts.ErrNoMailbox
}

func (b *box) isGone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gone
}
