package maildir

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

var _ mailparts.Cacher = (*mailbox)(nil)

// cacheName is the file of derived octets in a mailbox's folder, or beside its index.
const cacheName = "mailparts-cache"

// cachePatience is how long who lists or stores derived octets waits for the
// mailbox's lock, before it does without them.
const cachePatience = time.Second

func (b *box) cache(dir string) *index.Cache { return index.NewCache(b.fsys, b.beside(dir, cacheName)) }

// Cache keeps up to 64 KB for each message, and a gigabyte for all, without syncing
// any of it. That something cannot be kept is told to the logger only.
func (m *mailbox) Cache(ctx context.Context, derived iter.Seq2[mailparts.UID, []byte]) error {
	if err := m.refresh(ctx, needEntries); err != nil {
		return err
	}
	var batch index.Batch
	for uid, octets := range derived {
		e, ok := m.find(uid)
		if ok && batch.Add(e.UID, index.TagOf(keyOf(&e)), octets) {
			if err := m.keep(ctx, &batch); err != nil {
				return err
			}
			batch.Reset()
		}
	}
	return m.keep(ctx, &batch)
}

// keep writes a batch to the cache, and where it is to the index. It fails only if
// the mailbox is gone or the caller has given up.
func (b *box) keep(ctx context.Context, batch *index.Batch) error {
	if err := ctx.Err(); err != nil || batch.Len() == 0 {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, cachePatience)
	defer cancel()
	unlock, err := b.lock(soon)
	if err == nil {
		defer unlock()
		if err = b.catchUp(soon, needEntries); err == nil && !b.unsaved {
			err = b.keepLocked(batch)
		}
	}
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, mailparts.ErrNoMailbox):
		return err
	}
	b.log.Warn("what was derived from messages is not kept", "mailbox", b.path(), "messages", batch.Len(), "error", err)
	return nil
}

// keepLocked is keep for who holds the box's lock and has read all there is.
func (b *box) keepLocked(batch *index.Batch) error {
	dir := b.path()
	cache, was := b.cache(dir), b.ix.Cache
	now, places, wasteful, err := cache.Append(was, batch, b.ix.Counts.Cached)
	if errors.Is(err, index.ErrFull) && wasteful {
		if err = b.compactCache(dir); err == nil {
			was = b.ix.Cache
			now, places, wasteful, err = cache.Append(was, batch, b.ix.Counts.Cached)
		}
	}
	if err != nil {
		return err
	}
	if now != was && was != 0 {
		b.log.Warn("the cache of what was derived from messages is lost or not the mailbox's, and begun anew", "mailbox", dir)
	}
	if err := b.refer(now, places); err != nil || !wasteful {
		return err
	}
	return b.compactCache(dir)
}

// compactCache leaves out of the cache what no message refers to.
func (b *box) compactCache(dir string) error {
	now, places, err := b.cache(dir).Compact(b.ix.Cache, b.ix.Cached())
	if err != nil {
		return err
	}
	return b.refer(now, places)
}

// refer has the index say where messages' derived octets are. What it said of another
// generation of the file goes. Unlike commit it leaves all as it was if that cannot
// be written: nobody was told anything.
func (b *box) refer(generation uint64, places []index.Place) error {
	c := index.Change{Put: b.ix.Placed(places)}
	if generation != b.ix.Cache {
		c.Put = append(c.Put, b.unreferred(c.Put)...)
		slices.SortFunc(c.Put, func(x, y entry) int { return cmp.Compare(x.UID, y.UID) })
	}
	h := b.ix.Head
	h.Cache = generation
	h = b.count(h, &c)
	if err := b.ix.Write(h, c, false); err != nil {
		return err
	}
	b.mu.Lock()
	b.ix.Apply(h, c)
	b.mu.Unlock()
	b.shrinkIndex()
	return nil
}

// unreferred are the messages that have a place in a cache, and none among placed,
// without it.
func (b *box) unreferred(placed []entry) []entry {
	msgs := b.pick(mailparts.AllUIDs(), func(e *entry) bool {
		_, ok := find(placed, e.UID)
		return e.Cached != 0 && !ok
	})
	for i := range msgs {
		msgs[i].Cached = 0
	}
	return msgs
}

// releaseCached is for who has expunged messages: it compacts the cache if that pays.
func (b *box) releaseCached(dir string) {
	if b.unsaved || b.ix.Cache == 0 || !b.cache(dir).Wasteful(b.ix.Cache, b.ix.Counts.Cached) {
		return
	}
	if err := b.compactCache(dir); err != nil {
		b.log.Warn("the cache of what was derived from messages is not compacted", "mailbox", dir, "error", err)
	}
}
