package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir"
)

// treeListing reads the names of a store's mailboxes, how many messages each has,
// and what is subscribed.
func treeListing(s mailparts.Store) func(ctx context.Context) ([]string, error) {
	return func(ctx context.Context) (list []string, err error) {
		for info, err := range mailparts.ListStatus(ctx, s) {
			if err != nil {
				return nil, err
			}
			if info.NoSelect {
				continue
			}
			list = append(list, fmt.Sprint(info.Name, " ", info.Status.Messages))
		}
		subscribed, err := s.(mailparts.Subscriber).Subscribed(ctx)
		return append(list, subscribed...), err
	}
}

// Other programs make, rename and remove folders and deliver to them.
func TestWatchTree(t *testing.T) {
	for name, tc := range map[string]struct {
		poll   time.Duration
		layout maildir.Layout
	}{
		"told":               {0, maildir.MaildirPlusPlus},
		"looking":            {10 * time.Millisecond, maildir.MaildirPlusPlus},
		"told in folders":    {0, maildir.Folders},
		"looking in folders": {10 * time.Millisecond, maildir.Folders},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			s := openStore(t, &maildir.Backend{Root: root, Layout: tc.layout, Poll: tc.poll})
			others := openStore(t, &maildir.Backend{Root: root, Layout: tc.layout})
			w := watchReading(t, root, s, treeListing(s))
			p := &gardener{program{T: t, dir: filepath.Join(root, "user")}, tc.layout}
			for round := range 60 {
				for range 1 + rand.IntN(4) {
					if err := p.act(); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.EINVAL) {
						t.Fatal(err)
					}
				}
				if !w.agrees(fmt.Sprint("round ", round), treeListing(others)) {
					return
				}
			}
		})
	}
}

// gardener is a program that works on a tree.
type gardener struct {
	program
	layout maildir.Layout
}

func (g *gardener) folder() string {
	if g.layout == maildir.Folders {
		return filepath.Join(g.dir, []string{"a", "b", "a/b", "b/a", "a/b/c"}[rand.IntN(5)])
	}
	return filepath.Join(g.dir, fmt.Sprint(".f", rand.IntN(5)))
}

func (g *gardener) act() error {
	g.n++
	folder := g.folder()
	switch rand.IntN(8) {
	case 0, 1:
		for _, sub := range []string{"tmp", "cur", "new"} {
			if err := os.MkdirAll(filepath.Join(folder, sub), 0o700); err != nil {
				return err
			}
		}
		return nil
	case 2:
		return os.Rename(folder, g.folder())
	case 3:
		return os.RemoveAll(folder)
	case 4:
		lines := strings.Repeat("f\n", g.n%2)
		return os.WriteFile(filepath.Join(g.dir, "subscriptions"), []byte(lines), 0o600)
	}
	return os.WriteFile(filepath.Join(folder, "new", fmt.Sprintf("%d.P%d.other", 1_700_000_000+g.n, g.n)), nil, 0o600)
}

// A watched mailbox that another program renames is watched under its new name.
func TestWatchRenamed(t *testing.T) {
	root := t.TempDir()
	b := &maildir.Backend{Root: root}
	s := openStore(t, b)
	must(t, s.(mailparts.Manager).Create(t.Context(), "a"))
	mb := openMailbox(t, b, "a")
	w := watchReading(t, root, mb, listing(mb))
	must(t, os.Rename(filepath.Join(root, "user", ".a"), filepath.Join(root, "user", ".b")))
	must(t, s.(mailparts.Manager).Create(t.Context(), "a"))
	var want []string
	for i := range 3 {
		must(t, os.WriteFile(filepath.Join(root, "user", ".b", "new", fmt.Sprintf("170000000%d.x", i)), nil, 0o600))
		want = append(want, "0 []")
		w.sees("a message in it", want...)
		deliver(t, openMailbox(t, b, "a"), "another's\r\n")
	}
}

// Where nothing tells of changes, one's own wake at once, and the disk need not be
// the system's.
func TestWatchOwn(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir(), Poll: time.Hour}
	s := openStore(t, b)
	m := s.(mailparts.Manager)
	w := watchReading(t, b.Root, s, treeListing(s))
	w.sees("nothing yet", "INBOX 0")
	must(t, m.Create(t.Context(), "a"))
	w.sees("Create", "INBOX 0", "a 0")
	must(t, s.(mailparts.Subscriber).Subscribe(t.Context(), "a", true))
	w.sees("Subscribe", "INBOX 0", "a 0", "a")
	uid := deliver(t, openMailbox(t, b, "a"), "m\r\n")
	w.sees("Append", "INBOX 0", "a 1", "a")
	must(t, m.Rename(t.Context(), "a", "b"))
	w.sees("Rename", "INBOX 0", "b 1", "a")
	must(t, openMailbox(t, b, "b").Expunge(t.Context(), uids(uid), ""))
	w.sees("Expunge", "INBOX 0", "b 0", "a")
	must(t, m.Delete(t.Context(), "b"))
	w.sees("Delete", "INBOX 0", "a")

	mb := openMailbox(t, b, "INBOX")
	in := watchReading(t, b.Root, mb, listing(mb))
	uid = deliver(t, mb, "m\r\n")
	in.sees("Append", "3 []")
	_, _, err := mb.SetFlags(t.Context(), uids(uid), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
	must(t, err)
	in.sees("SetFlags", `3 [\Seen]`)
}

// busyDisk is a disk on which another program acts once, right after a folder was
// read.
type busyDisk struct {
	disk.FS
	folder string
	act    func()
}

func (d *busyDisk) ReadDir(name string) ([]string, error) {
	names, err := d.FS.ReadDir(name)
	if name == d.folder {
		d.folder = ""
		d.act()
	}
	return names, err
}

// A mailbox that comes while its parent is being read is watched too.
func TestWatchTreeBusy(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir(), Layout: maildir.Folders, Poll: time.Hour}
	fsys := &busyDisk{FS: disk.OS{}}
	b.SetFS(fsys)
	s := openStore(t, b)
	must(t, s.(mailparts.Manager).Create(t.Context(), "a"))
	fsys.folder = filepath.Join(b.Root, "user", "a")
	fsys.act = func() {
		for _, sub := range []string{"cur", "new", "tmp"} {
			must(t, os.MkdirAll(filepath.Join(b.Root, "user", "a", "b", sub), 0o700))
		}
	}
	w := watchReading(t, b.Root, s, treeListing(s))
	w.sees("a mailbox that has come", "INBOX 0", "a 0", "a/b 0")
	deliver(t, openMailbox(t, b, "a/b"), "m\r\n")
	w.sees("Append to it", "INBOX 0", "a 0", "a/b 1")
}

// Annotations are watched, by who has the mailbox and by who has the store.
func TestWatchAnnotations(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	s := openStore(t, b)
	read := func(ctx context.Context) (list []string, err error) {
		for _, name := range []string{"", "INBOX"} {
			as, err := mailparts.Annotations(ctx, s, name)
			if err != nil {
				return nil, err
			}
			for _, a := range as {
				list = append(list, fmt.Sprintf("%q %s %s", name, a.Entry, a.Value))
			}
		}
		return list, nil
	}
	ofStore := watchReading(t, b.Root, s, read)
	ofBox := watchReading(t, b.Root, openMailbox(t, b, "INBOX"), read)
	annotate := func(name, value string) {
		must(t, mailparts.Annotate(t.Context(), s, name, mailparts.Annotation{Entry: "/private/comment", Value: []byte(value)}))
	}
	annotate("INBOX", "a")
	ofStore.sees("an annotation of a mailbox", `"INBOX" /private/comment a`)
	ofBox.sees("an annotation of it", `"INBOX" /private/comment a`)
	annotate("", "b")
	ofStore.sees("an annotation of the account", `"" /private/comment b`, `"INBOX" /private/comment a`)
}
