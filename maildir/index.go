package maildir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// indexName is the index in a mailbox's folder.
const indexName = "mailparts-index"

// need is what an operation must know of a mailbox.
type need uint8

const (
	needHead    need = iota // its numbers
	needEntries             // its messages too
)

// indexPath is where the index of the mailbox at dir is.
func (b *box) indexPath(dir string) string { return b.beside(dir, indexName) }

// beside is where the index, or what belongs to it, of the mailbox at dir is. In a
// folder of its own it goes by the mailbox's GUID, which stays in a rename, and by the
// tree, since a copy of a tree has the same GUIDs.
func (b *box) beside(dir, name string) string {
	if b.Index == "" || b.guid == "" {
		return filepath.Join(dir, name)
	}
	sum := sha256.Sum256([]byte(b.root + "\x00" + b.guid))
	key := hex.EncodeToString(sum[:16])
	return filepath.Join(b.Index, key[:2], key[2:]+"."+name)
}

// indexRemover is for who deletes the mailbox at dir: what it returns removes what of
// the mailbox is in a folder of indexes. What is left there by a crash does no harm.
func (s *store) indexRemover(dir string) func() {
	head, err := s.backend.readHeader(dir)
	x := &box{Backend: s.backend, root: s.root, identity: identity{guid: head.guid()}}
	if err != nil || x.Index == "" || x.guid == "" {
		return func() {}
	}
	return func() {
		for _, name := range []string{indexName, cacheName} {
			if err := x.fsys.Remove(x.beside(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				x.log.Warn("a file of a deleted mailbox is left", "mailbox", dir, "error", err)
			}
		}
	}
}

// readIndex brings what is known of the mailbox up to what its index says, and
// leaves it unknown if there is no index. The caller holds guard.
func (b *box) readIndex(dir string, need need) error {
	if b.unsaved {
		b.forget()
	}
	if !b.known || need == needEntries && !b.ix.Loaded() {
		return b.loadIndex(dir, need)
	}
	changes, head, replaced, err := b.ix.Tail()
	if replaced || isNoIndex(err) {
		return b.loadIndex(dir, max(need, b.level()))
	}
	if err != nil {
		return err
	}
	if len(changes) > 0 || head != b.ix.Head {
		if err := b.readKeywordsOf(dir); err != nil { // before anybody sees letters that are new
			b.forget() // or what Tail has passed would be missing
			return err
		}
		b.mu.Lock()
		b.ix.Apply(head, changes...)
		b.mu.Unlock()
		b.fresh = b.fresh || b.isFresh() // another process has looked at what a crash left
		b.recallHead()
	}
	return nil
}

func isNoIndex(err error) bool {
	return errors.Is(err, index.ErrNone) || errors.Is(err, index.ErrDamaged)
}

// isFresh reports whether the index is from this run of the machine.
func (b *box) isFresh() bool { return b.ix.Boot != 0 && b.ix.Boot == b.bootSum() }

// level is what is known.
func (b *box) level() need {
	if b.known && b.ix.Loaded() {
		return needEntries
	}
	return needHead
}

// loadIndex reads the index anew.
func (b *box) loadIndex(dir string, need need) error {
	ix := index.New(b.fsys, b.indexPath(dir))
	read := ix.Peek
	if need == needEntries {
		read = ix.Load
	}
	err := read()
	switch {
	case errors.Is(err, index.ErrDamaged):
		aside, aerr := ix.SetAside()
		b.log.Error("the index is damaged and is made anew", "mailbox", dir, "kept", aside, "error", errors.Join(err, aerr))
		b.forget()
		return nil
	case errors.Is(err, index.ErrNone), err == nil && ix.Validity != b.validity:
		b.forget()
		return nil
	case err != nil:
		b.log.Error("the index cannot be read", "mailbox", dir, "error", err)
		b.forget()
		return nil
	}
	b.mu.Lock()
	b.ix, b.known, b.unsaved = ix, true, false
	b.fresh = b.isFresh()
	b.distrust = b.distrust || !b.fresh // of a crash nobody knows what it took
	b.mu.Unlock()
	b.recallHead()
	return b.readKeywordsOf(dir)
}

// forget makes the mailbox one of which nothing is known.
func (b *box) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.unsaved, b.fresh = false, false, false
}

// recallHead takes from the index what it says of the uidlist. If that is nothing the
// list is to be read: what was read before may be lines that the index does not have.
func (b *box) recallHead() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.ix.List; l.ID != 0 && b.fresh {
		b.list = list{List: l, end: l.Size}
	} else {
		b.list.ID = 0
	}
}

// commit writes a change to the index and then shows it to readers. The caller
// holds guard and has read the index to its end. That it cannot be written is no
// error, as the index can be made anew at any time: but mod-sequences, which others
// could not see then, are not shown.
func (b *box) commit(h index.Head, c index.Change, durable bool) {
	h = b.count(h, &c)
	if !b.unsaved {
		if err := b.ix.Write(h, c, durable); err != nil {
			b.giveUpIndex(err)
		}
	}
	b.show(h, c)
	b.shrinkIndex()
}

// count returns a head as it is after a change.
func (b *box) count(h index.Head, c *index.Change) index.Head {
	for i := range c.Put {
		e := &c.Put[i]
		if b.ix.Loaded() {
			if at, ok := b.index(e.UID); ok {
				h.Counts.Remove(b.ix.Entries[at])
			}
		}
		h.Counts.Add(*e)
		h.HighestModSeq = max(h.HighestModSeq, e.ModSeq)
		h.Next = max(h.Next, uint64(e.UID)+1)
	}
	for _, r := range c.Gone.UIDs {
		for at, _ := b.index(uint32(r.First)); at < len(b.ix.Entries) && b.ix.Entries[at].UID <= uint32(r.Last); at++ {
			h.Counts.Remove(b.ix.Entries[at])
		}
		h.HighestModSeq = max(h.HighestModSeq, c.Gone.ModSeq)
	}
	h.Next = max(h.Next, b.nextUID())
	h.GUID, h.List, h.Boot = packGUID(b.guid), b.list.saved(), b.bootSum()
	return h
}

// shrinkIndex writes the index anew if most of it is old changes.
func (b *box) shrinkIndex() {
	if !b.unsaved && b.ix.Loaded() && b.ix.Grown() {
		if err := b.ix.Rewrite(false); err != nil {
			b.log.Warn("the index could not be made smaller", "mailbox", b.path(), "error", err)
		}
	}
}

// giveUpIndex goes on without mod-sequences.
func (b *box) giveUpIndex(err error) {
	b.log.Error("the index cannot be written, there are no mod-sequences", "mailbox", b.path(), "error", err)
	b.mu.Lock()
	b.unsaved = true
	b.mu.Unlock()
}

func (b *box) show(h index.Head, c index.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ix.Apply(h, c)
	b.outline = outline{}
	for i := range c.Put {
		delete(b.learned, c.Put[i].UID)
	}
	for uid := range b.learned {
		if mailparts.UIDSet(c.Gone.UIDs).Contains(mailparts.UID(uid)) {
			delete(b.learned, uid)
		}
	}
}

// rebuild makes a new index of what was found. Others, whose index was another, learn
// of it by the uidlist's time: nothing else tells them of new mod-sequences.
func (b *box) rebuild(dir string, h index.Head, entries []entry, guids map[uint32]string) {
	for i := range entries {
		h.Counts.Add(entries[i])
	}
	b.touchList(dir)
	h.GUID, h.List, h.Boot, h.Validity = packGUID(b.guid), b.list.saved(), b.bootSum(), b.validity
	name := b.indexPath(dir)
	ix := index.Of(b.fsys, name, h, entries, guids)
	b.mu.Lock()
	b.ix, b.known, b.unsaved = ix, true, false
	clear(b.learned)
	b.mu.Unlock()
	b.fresh = h.Boot != 0
	if err := disk.MkdirAll(b.fsys, filepath.Dir(name), os.FileMode(dirMode)); err != nil {
		b.giveUpIndex(err)
	} else if err := ix.Rewrite(false); err != nil {
		b.giveUpIndex(err)
	}
}

// peek takes in what the index says without the lock that writers hold, if nothing
// is known yet and it says it all.
func (b *box) peek(ctx context.Context) error {
	select {
	case b.guard <- struct{}{}:
		defer func() { <-b.guard }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if b.known {
		return nil
	}
	return b.try(func(dir string) error {
		ix := index.New(b.fsys, b.indexPath(dir))
		if ix.Peek() != nil || ix.Validity != b.validity || ix.Boot == 0 || ix.Boot != b.bootSum() {
			return nil // whoever has the lock does what is to be done
		}
		b.mu.Lock()
		b.ix, b.known, b.unsaved = ix, true, false
		b.mu.Unlock()
		b.fresh = true
		b.recallHead()
		return b.readKeywordsOf(dir)
	})
}
