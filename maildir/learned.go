package maildir

import (
	"context"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// learned is what was found out of a message by a look at its file, and is not in
// the index yet. Zero: nothing.
type learned struct {
	size     int64 // on the wire; -1: what is known is wrong
	received int64 // as in entry
}

func (b *box) learn(uid uint32, l learned) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.learned[uid]
	if l.size == 0 {
		l.size = was.size
	}
	if l.received == 0 {
		l.received = was.received
	}
	b.learned[uid] = l
}

// size is the message's on the wire.
func (b *box) size(ctx context.Context, e *entry) (int64, error) {
	if size := b.knownSize(e); size >= 0 {
		return size, nil
	}
	var size int64
	err := b.follow(ctx, e, func(path string) (err error) {
		size, err = b.measure(path)
		return err
	})
	if err == nil {
		b.learn(e.UID, learned{size: size})
	}
	return size, err
}

// knownSize is what was measured, or stands in the uidlist or in the file's name,
// or -1.
func (b *box) knownSize(e *entry) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.learned[e.UID]; l.size != 0 {
		return l.size
	}
	return e.Size
}

// received is the file's modification time, in nanoseconds.
func (b *box) received(ctx context.Context, e *entry, l learned) (int64, error) {
	if e.Received != 0 {
		return e.Received, nil
	}
	if l.received != 0 {
		return l.received, nil
	}
	err := b.follow(ctx, e, func(path string) error {
		fi, err := b.fsys.Stat(path)
		if err == nil {
			l.received = fi.ModTime().UnixNano()
		}
		return err
	})
	if err == nil {
		b.learn(e.UID, learned{received: l.received})
	}
	return l.received, err
}

// saveLearned writes what was found out to the index, for the next one who asks. It
// may do so at any later time as well, so that it cannot now is no error.
func (b *box) saveLearned(ctx context.Context) {
	b.mu.Lock()
	n := len(b.learned)
	b.mu.Unlock()
	if n == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := b.lock(ctx)
	if err != nil {
		return
	}
	defer unlock()
	if b.catchUp(ctx, needEntries) != nil {
		return
	}
	var put []entry
	for _, e := range b.pick(mailparts.AllUIDs(), func(e *entry) bool { return b.knows(e.UID) }) {
		l := b.learned[e.UID]
		if l.size > 0 {
			if e.Size >= 0 && e.Size != l.size { // derived from other octets than there are
				e.Cached = 0
			}
			e.Size = l.size
		}
		if l.received != 0 {
			e.Received = l.received
		}
		put = append(put, e)
	}
	if len(put) > 0 {
		b.commit(b.ix.Head, index.Change{Put: put}, false)
	}
}

func (b *box) knows(uid uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.learned[uid]
	return ok
}

// isUnsaved reports whether mod-sequences are not kept now.
func (b *box) isUnsaved() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unsaved
}
