package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/crlf"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// draft is a message in tmp/, whole and synced.
type draft struct {
	tmp      string // name in tmp/
	base     string
	flags    flagSet
	id       string // EMAILID, if it is not to be made of the base
	wire     int64
	received int64 // as in entry
}

// place is where a draft goes: what has flags cannot be in new/.
func (d draft) place() item {
	if d.flags == 0 {
		return item{d.base, newShelf}
	}
	return item{withFlags(d.base, d.flags), curShelf}
}

// line is the draft's in the uidlist, without its UID.
func (d draft) line() listLine {
	if d.id == "" {
		return listLine{base: d.base}
	}
	return listLine{base: d.base, fields: " G" + d.id}
}

// Append writes all messages to tmp/, each synced, before the first of them goes
// to new/ or cur/. A crash in the midst of a batch may leave a part of it; nothing
// else does.
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
func (b *box) draft(ctx context.Context, in mailparts.Incoming) (_ draft, err error) {
	d := draft{}
	if d.flags, err = b.flagsOf(ctx, in.Flags); err != nil {
		return d, err
	}
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
		d.received, err = mtimeOf(f)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		b.discard("tmp", d.tmp)
	}
	d.base, d.wire = fmt.Sprintf("%s%s%d%s%d", d.tmp, diskSize, text.Disk(), wireSize, text.Wire()), text.Wire()
	if in.ID != objectID(d.base) && isObjectID(in.ID) {
		d.id = in.ID
	}
	return d, err
}

// flagsOf is flagsFor for who does not hold the lock.
func (b *box) flagsOf(ctx context.Context, flags []mailparts.Flag) (set flagSet, err error) {
	if set = setOf(flags); !slices.ContainsFunc(flags, isKeyword) {
		return set, nil
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return b.flagsFor(ctx, b.path(), flags, true)
}

func isKeyword(f mailparts.Flag) bool { return f != "" && f[0] != '\\' }

func mtimeOf(f disk.File) (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.ModTime().UnixNano(), nil
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
	placed, err = b.admit(ctx, drafts, charge)
	if err != nil {
		return mailparts.Placed{}, err
	}
	return b.settle(ctx, drafts, placed, charge)
}

// placeAll is place within the quota.
func (b *box) placeAll(ctx context.Context, drafts []draft, charge *charge) (placed mailparts.Placed, err error) {
	var first mailparts.UID
	err = charge.spend(ctx, drafts, func() (err error) { first, err = b.place(ctx, drafts); return err })
	if err != nil {
		return placed, err
	}
	placed.UIDValidity = b.validity
	if len(drafts) > 0 {
		placed.UIDs.Add(first, first+mailparts.UID(len(drafts)-1))
	}
	return placed, nil
}

// settle makes the names of drafts that are placed durable, or takes them back.
func (b *box) settle(ctx context.Context, drafts []draft, placed mailparts.Placed, charge *charge) (mailparts.Placed, error) {
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
	unlock, err := b.lockList(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	indexed, err := b.prepare(ctx, dir)
	if err != nil || len(drafts) == 0 {
		return 0, err
	}
	lines := make([]listLine, len(drafts))
	for i, d := range drafts {
		lines[i] = d.line()
		it := d.place()
		err := disk.RenameFile(b.fsys, filepath.Join(dir, "tmp", d.tmp), filepath.Join(dir, shelfNames[it.shelf], it.name))
		if err != nil {
			b.takeBack(drafts[:i])
			return 0, err
		}
	}
	if first, err = b.number(dir, lines); err != nil {
		b.takeBack(drafts)
		return 0, err
	}
	if indexed {
		err = b.add(dir, first, drafts)
	} else {
		b.distrustShelves() // their times need not tell
		b.changed(dir, shelvesOf(drafts)...)
	}
	if err != nil {
		b.takeBack(drafts)
	}
	return first, err
}

// prepare makes known what number must know, and reports whether what is appended
// can go to the index at once. If it cannot, because there is no index, or others
// have changed the mailbox while nobody had it open, who opens it next will find it.
// The caller holds the lock and the list's dotlock.
func (b *box) prepare(ctx context.Context, dir string) (indexed bool, err error) {
	if err := b.recall(dir); err != nil {
		return false, err
	}
	if b.level() == needEntries {
		return true, b.catchUp(ctx, needEntries)
	}
	if err := b.readIndex(dir, needHead); err != nil {
		return false, err
	}
	if b.known && b.fresh {
		if current, err := b.isCurrent(needHead); current || err != nil {
			return current, err
		}
	}
	return false, b.peekList(dir)
}

// takeBack removes what was placed and is not to be.
func (b *box) takeBack(drafts []draft) {
	for _, d := range drafts {
		it := d.place()
		b.discard(shelfNames[it.shelf], it.name)
	}
}

// add shows new messages to readers.
func (b *box) add(dir string, first mailparts.UID, drafts []draft) error {
	at, err := b.nextModSeq(dir)
	if err != nil {
		return err
	}
	c := index.Change{Put: make([]entry, len(drafts))}
	now := uint32(time.Now().Unix())
	for i, d := range drafts {
		it := d.place()
		e := newEntry(first+mailparts.UID(i), it.shelf, it.name)
		e.ModSeq, e.Size, e.Received, e.Saved = at, d.wire, d.received, now
		c.Put[i] = e
		if d.id != "" {
			if c.GUIDs == nil {
				c.GUIDs = map[uint32]string{}
			}
			c.GUIDs[e.UID] = d.id
		}
	}
	h := b.ix.Head
	h.Shelves = b.stamp(dir, h.Shelves, shelvesOf(drafts)...)
	b.commit(h, c, false)
	return nil
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
