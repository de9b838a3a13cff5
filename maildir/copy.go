package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
)

var _ mailparts.Copier = (*mailbox)(nil)

// Copy gives each file a second name in the other mailbox's tmp/, or copies it where
// that is not possible, and then goes on as Append: with one batch.
func (m *mailbox) Copy(ctx context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
	to, ok := dst.(*mailbox)
	if !ok || !m.reaches(to.box) {
		return mailparts.Copied{}, errors.ErrUnsupported
	}
	charge, err := to.charge(ctx)
	if err != nil {
		return mailparts.Copied{}, quota(err)
	}
	c, err := m.copying(ctx, to.box, uids)
	if err == nil {
		err = c.translate(func(names []mailparts.Flag) (flagSet, error) { return to.flagsOf(ctx, names) })
	}
	if err == nil {
		err = c.draftAll(ctx, charge)
	}
	var placed mailparts.Placed
	if err == nil {
		placed, err = to.deliver(ctx, c.drafts(), charge)
	}
	if err != nil {
		c.discard()
		return mailparts.Copied{}, quota(err)
	}
	return mailparts.Copied{From: c.uids(), To: placed}, nil
}

// reaches reports whether files can go from b to dst: to any mailbox on the same
// disk, but not to b itself as another Backend has it.
func (b *box) reaches(dst *box) bool {
	return b == dst || b.fsys == dst.fsys && !b.is(dst.identity)
}

// copying is messages of src on their way to dst.
type copying struct {
	src, dst *box
	msgs     []original
	keywords map[flagSet][]mailparts.Flag // by name, of each set of flags that has some
	flags    map[flagSet]flagSet          // of src, as dst has them
}

// original is a message that is copied.
type original struct {
	entry
	guid  string // what its EMAILID is made of
	draft draft  // in dst
}

// copying finds the messages.
func (b *box) copying(ctx context.Context, dst *box, uids mailparts.UIDSet) (*copying, error) {
	c := &copying{src: b, dst: dst}
	if err := b.hold(ctx, needEntries); err != nil {
		return c, err
	}
	defer b.mu.Unlock()
	for _, e := range b.pick(uids, func(*entry) bool { return true }) {
		guid := cmp.Or(b.ix.GUIDs[e.UID], keyOf(&e)) // with the sizes, as Dovecot has it
		if strings.ContainsAny(guid, " \t") {        // it could not stand in a uidlist
			guid = objectID(guid)
		}
		c.msgs = append(c.msgs, original{entry: e, guid: guid})
	}
	c.nameKeywords()
	return c, nil
}

// nameKeywords is for translate. The caller holds src.mu.
func (c *copying) nameKeywords() {
	c.keywords = map[flagSet][]mailparts.Flag{}
	for i := range c.msgs {
		if set := flagSet(c.msgs[i].Flags); set&^systemFlags != 0 && c.keywords[set] == nil {
			c.keywords[set] = c.src.flagList(set)
		}
	}
}

// translate finds out which letters src's keywords have in dst.
func (c *copying) translate(ask func([]mailparts.Flag) (flagSet, error)) error {
	c.flags = map[flagSet]flagSet{}
	for set, names := range c.keywords {
		in, err := ask(names)
		if err != nil {
			return err
		}
		c.flags[set] = in
	}
	return nil
}

// flagsOf are a message's flags in dst.
func (c *copying) flagsOf(e *entry) flagSet {
	set := flagSet(e.Flags)
	if set&^systemFlags == 0 {
		return set
	}
	return c.flags[set]
}

// draftAll has each message in dst's tmp/. Those that are gone by now are left out.
func (c *copying) draftAll(ctx context.Context, charge *charge) error {
	kept := c.msgs[:0]
	defer func() { c.msgs = kept }() // what has no draft needs no discard
	for _, o := range c.msgs {
		err := ctx.Err()
		if err == nil {
			err = c.draft(ctx, &o)
		}
		if errors.Is(err, mailparts.ErrNoMessage) {
			continue
		}
		if err != nil {
			return err
		}
		kept = append(kept, o)
		if err := charge.take(ctx, weighDrafts([]draft{o.draft})); err != nil {
			return err
		}
	}
	return nil
}

// draft gives a message a second name in tmp/, whose base tells sizes if they are
// known.
func (c *copying) draft(ctx context.Context, o *original) error {
	d := draft{id: o.guid, flags: c.flagsOf(&o.entry)} // follow may find others by now
	var made fs.FileInfo
	err := c.src.follow(ctx, &o.entry, func(from string) error {
		if sizeIn(keyOf(&o.entry), wireSize) < 0 { // of who may not have synced it
			if err := c.src.syncFile(from); err != nil {
				return err
			}
		}
		return c.dst.try(func(dir string) (err error) {
			d.tmp = c.dst.names.unique(time.Now())
			made, err = c.dst.linkOrCopy(from, dir, d.tmp)
			return err
		})
	})
	if err != nil {
		return err
	}
	d.received = made.ModTime().UnixNano()
	d.base = fmt.Sprintf("%s%s%d", d.tmp, diskSize, made.Size())
	d.wire = c.src.knownSize(&o.entry)
	if told := sizeIn(keyOf(&o.entry), diskSize); told >= 0 && told != made.Size() {
		d.wire = -1
	}
	if d.wire >= 0 {
		d.base += fmt.Sprintf("%s%d", wireSize, d.wire)
	}
	o.draft = d
	return nil
}

func (b *box) syncFile(name string) error {
	f, err := b.fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// linkOrCopy makes a file in a tmp/ that is surely this mailbox's, or nothing.
func (b *box) linkOrCopy(from, dir, tmp string) (made fs.FileInfo, err error) {
	name := filepath.Join(dir, "tmp", tmp)
	err = b.fsys.Link(from, name)
	if isNoLink(err) {
		err = b.copyFile(from, name)
	}
	if err != nil {
		return nil, err
	}
	if made, err = b.fsys.Stat(name); err == nil {
		err = b.check(dir)
	}
	if err != nil {
		b.fsys.Remove(name)
	}
	return made, err
}

// isNoLink reports whether a file cannot have another name there: on another file
// system, on one without links, of another user, or with too many names.
func isNoLink(err error) bool {
	return errors.Is(err, syscall.EXDEV) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EMLINK) || errors.Is(err, errors.ErrUnsupported)
}

// copyFile copies a file's octets and modification time, durably but for the name.
func (b *box) copyFile(from, to string) error {
	in, err := b.fsys.OpenFile(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	fi, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := b.fsys.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = b.fsys.Chtimes(to, fi.ModTime())
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		b.fsys.Remove(to)
	}
	return err
}

func (c *copying) drafts() []draft {
	drafts := make([]draft, len(c.msgs))
	for i := range c.msgs {
		drafts[i] = c.msgs[i].draft
	}
	return drafts
}

func (c *copying) uids() (uids mailparts.UIDSet) {
	for i := range c.msgs {
		uids.Add(mailparts.UID(c.msgs[i].UID), mailparts.UID(c.msgs[i].UID))
	}
	return uids
}

// discard removes what was not placed.
func (c *copying) discard() {
	for i := range c.msgs {
		if tmp := c.msgs[i].draft.tmp; tmp != "" {
			c.dst.discard("tmp", tmp)
		}
	}
}
