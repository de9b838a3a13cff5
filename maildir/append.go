package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/crlf"
	"github.com/mailparts/mailparts/internal/disk"
)

// draft is a message in tmp/, whole and synced.
type draft struct {
	tmp   string // name in tmp/
	base  string
	flags flagSet
}

// place is where a draft goes: what has flags cannot be in new/.
func (d draft) place() item {
	if d.flags == 0 {
		return item{d.base, newShelf}
	}
	return item{withFlags(d.base, d.flags), curShelf}
}

// Append writes all messages to tmp/, each synced, before the first of them goes
// to new/ or cur/. They keep system flags only. A crash in the midst of a batch
// may leave a part of it; nothing else does.
func (m *mailbox) Append(ctx context.Context, msgs iter.Seq2[mailparts.Incoming, error]) (mailparts.Placed, error) {
	charge, err := m.charge(ctx)
	if err != nil {
		return mailparts.Placed{}, quota(err)
	}
	drafts, err := m.draftAll(ctx, charge.meter(ctx, msgs))
	var placed mailparts.Placed
	if err == nil {
		placed, err = m.deliver(ctx, drafts, charge)
	}
	if err != nil {
		for _, d := range drafts {
			m.discard("tmp", d.tmp)
		}
		return mailparts.Placed{}, quota(err)
	}
	return placed, nil
}

// draftAll returns what it has made also if it fails.
func (m *mailbox) draftAll(ctx context.Context, msgs iter.Seq2[mailparts.Incoming, error]) (drafts []draft, err error) {
	for in, err := range msgs {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return drafts, err
		}
		d, err := m.draft(ctx, in)
		if err != nil {
			return drafts, err
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// draft writes one message to tmp/, or leaves nothing.
func (b *box) draft(ctx context.Context, in mailparts.Incoming) (draft, error) {
	d := draft{flags: setOf(in.Flags)}
	f, err := b.create(&d)
	if err != nil {
		return d, err
	}
	text := b.writers.Get().(*crlf.Writer)
	defer func() {
		text.Reset(nil)
		b.writers.Put(text)
	}()
	text.Reset(f)
	err = text.Copy(ctx, in.Body)
	if err == nil && !in.Received.IsZero() {
		err = b.try(func(dir string) error { return b.fsys.Chtimes(filepath.Join(dir, "tmp", d.tmp), in.Received) })
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		b.discard("tmp", d.tmp)
	}
	d.base = fmt.Sprintf("%s%s%d%s%d", d.tmp, diskSize, text.Disk(), wireSize, text.Wire())
	return d, err
}

// create makes the file, in a tmp/ that is surely this mailbox's.
func (b *box) create(d *draft) (f disk.File, err error) {
	err = b.try(func(dir string) error {
		d.tmp = b.names.unique(time.Now())
		name := filepath.Join(dir, "tmp", d.tmp)
		if f, err = b.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode); err != nil {
			return err
		}
		if err = b.check(dir); err != nil {
			f.Close()
			b.fsys.Remove(name)
		}
		return err
	})
	return f, err
}

// discard removes a file of which nothing was said to anyone. If it fails in tmp/,
// sweep removes it later.
func (b *box) discard(sub, name string) error {
	return b.try(func(dir string) error {
		err := b.fsys.Remove(filepath.Join(dir, sub, name))
		if errors.Is(err, fs.ErrNotExist) {
			return b.check(dir)
		}
		return err
	})
}

// deliver gives drafts their UIDs and names, and makes the names durable.
func (b *box) deliver(ctx context.Context, drafts []draft, charge *charge) (placed mailparts.Placed, err error) {
	unlock, err := b.lock(ctx)
	if err != nil {
		return mailparts.Placed{}, err
	}
	var first mailparts.UID
	err = charge.spend(ctx, drafts, func() error { first, err = b.place(ctx, drafts); return err })
	unlock()
	if err != nil {
		return mailparts.Placed{}, err
	}
	placed.UIDValidity = b.validity
	if len(drafts) > 0 {
		placed.UIDs.Add(first, first+mailparts.UID(len(drafts)-1))
	}
	if err := b.sync(shelvesOf(drafts)); err != nil {
		b.takeBack(drafts)
		charge.giveBack(ctx, drafts)
		return mailparts.Placed{}, err
	}
	b.sweep()
	return placed, nil
}

// place renames and then writes the uidlist, with the box's lock held. In the other
// order Dovecot, which reads the list without its lock, would take a line whose file
// is not there yet for an expunged message.
func (b *box) place(ctx context.Context, drafts []draft) (first mailparts.UID, err error) {
	dir := b.path()
	unlock, err := b.dotlock(ctx, filepath.Join(dir, listName))
	if err != nil {
		return 0, err
	}
	defer unlock()
	if b.loaded {
		err = b.catchUp(ctx, true)
	} else {
		err = b.peekList(dir)
	}
	if err != nil || len(drafts) == 0 {
		return 0, err
	}
	bases := make([]string, len(drafts))
	for i, d := range drafts {
		bases[i] = d.base
		it := d.place()
		err := b.fsys.Rename(filepath.Join(dir, "tmp", d.tmp), filepath.Join(dir, shelfNames[it.shelf], it.name))
		if err != nil {
			b.takeBack(drafts[:i])
			return 0, err
		}
	}
	if first, err = b.number(dir, bases); err != nil {
		b.takeBack(drafts)
		return 0, err
	}
	if b.loaded {
		b.add(dir, first, drafts)
	}
	return first, nil
}

// takeBack removes what was placed and is not to be.
func (b *box) takeBack(drafts []draft) {
	for _, d := range drafts {
		it := d.place()
		b.discard(shelfNames[it.shelf], it.name)
	}
}

// add shows new messages to readers.
func (b *box) add(dir string, first mailparts.UID, drafts []draft) {
	b.mu.Lock()
	for i, d := range drafts {
		it := d.place()
		b.entries = append(b.entries, newEntry(first+mailparts.UID(i), it.shelf, it.name))
	}
	b.next = b.nextUID()
	b.mu.Unlock()
	b.adopt(dir, shelvesOf(drafts)...)
}

// shelvesOf is where drafts go.
func shelvesOf(drafts []draft) (shelves []int) {
	var to [2]bool
	for _, d := range drafts {
		to[d.place().shelf] = true
	}
	for i, yes := range to {
		if yes {
			shelves = append(shelves, i)
		}
	}
	return shelves
}

// sync makes the names in shelves durable, together with other callers' ones.
func (b *box) sync(shelves []int) error {
	for _, i := range shelves {
		err := b.syncs[i].do(func() error {
			return b.try(func(dir string) error { return b.fsys.SyncDir(filepath.Join(dir, shelfNames[i])) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// quota says ErrQuota too where the user's share of the disk is used up.
func quota(err error) error {
	if errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", mailparts.ErrQuota, err)
	}
	return err
}
