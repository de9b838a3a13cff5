package maildir

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/watch"
)

// Watch tells of what anyone does to the mailbox, whatever its name becomes, and
// that it is gone.
func (m *mailbox) Watch(ctx context.Context, wake func()) error {
	b := m.box
	if err := b.try(b.check); err != nil {
		return err
	}
	return b.watch(ctx, b.paths, wake)
}

// Watch tells of what anyone does to the mailboxes and their names, to those that
// come later too, and to the subscriptions.
func (s *store) Watch(ctx context.Context, wake func()) error {
	paths := func(add func(watch.Path)) error { return s.paths(ctx, add) }
	return s.backend.watch(ctx, paths, wake)
}

func (b *Backend) watch(ctx context.Context, paths func(func(watch.Path)) error, wake func()) error {
	return watch.Process.Watch(ctx, watch.Watcher{Paths: paths, Wake: wake, FS: b.fsys, Poll: b.Poll, Log: b.log})
}

// paths finds the mailbox where it is now. Once it is gone there are none.
func (b *box) paths(add func(watch.Path)) error {
	err := b.try(b.check)
	if errors.Is(err, mailparts.ErrNoMailbox) {
		return nil
	}
	if err == nil {
		addMailbox(b.path(), boxEffect, boxFiles, add)
	}
	return err
}

func addMailbox(dir string, effect func(string) watch.Effect, files []string, add func(watch.Path)) {
	add(watch.Path{Name: dir, Effect: effect, Files: files})
	for _, sub := range shelfNames {
		add(watch.Path{Name: filepath.Join(dir, sub)})
	}
}

// Files that may get another content in place.
var (
	boxFiles  = []string{listName}
	treeFiles = []string{listName, subscriptionsName}
)

// boxEffect is that of a change of what has a name in a mailbox.
func boxEffect(name string) watch.Effect {
	switch {
	case name == shelfNames[newShelf], name == shelfNames[curShelf]:
		return watch.Renew
	case name == metadataName, name == accountName:
		return watch.Wake
	case strings.HasPrefix(name, "."), // other mailboxes, in INBOX
		strings.HasPrefix(name, "mailparts"), // of ours, written by who only reads too
		strings.HasPrefix(name, "dovecot."),  // likewise of Dovecot
		strings.HasSuffix(name, ".lock"), strings.HasSuffix(name, ".tmp"),
		name == subscriptionsName, name == "tmp", name == "maildirsize":
		return watch.Nothing
	}
	return watch.Wake
}

// paths adds each folder before it looks for those in it. Where they are in each
// other that takes another look, until there are no more.
func (s *store) paths(ctx context.Context, add func(watch.Path)) error {
	tree, box := treeEffect, boxEffect
	if s.backend.Layout == Folders {
		tree, box = folderEffect, folderEffect
	}
	addMailbox(s.root, tree, treeFiles, add)
	added := map[string]bool{}
	for more := true; more; {
		more = false
		for f, err := range s.backend.folders(s.root) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			if _, ok := s.backend.naming().nameOf(f.path); ok && !added[f.path] {
				addMailbox(filepath.Join(s.root, f.path), box, boxFiles, add)
				added[f.path], more = true, s.backend.Layout == Folders
			}
		}
	}
	return nil
}

// treeEffect is that of a change of what has a name in a tree, which is INBOX too.
func treeEffect(name string) watch.Effect {
	switch {
	case strings.HasPrefix(name, trash):
		return watch.Nothing
	case strings.HasPrefix(name, "."):
		return watch.Renew
	case name == subscriptionsName:
		return watch.Wake
	}
	return boxEffect(name)
}

// folderEffect is that in trees and in mailboxes where these are in each other.
func folderEffect(name string) watch.Effect {
	switch {
	case name == subscriptionsName:
		return watch.Wake
	case !isReserved(name):
		return watch.Renew
	}
	return boxEffect(name)
}

// changed has the watchers woken after a change of our own.
func (b *box) changed(dir string, shelves ...int) {
	for _, i := range shelves {
		watch.Process.Changed(b.fsys, dir, shelfNames[i])
	}
}

// hidden is called when a shelf gets a stamp or counts as current. If only its stamp
// says so, which may hide a change of others, the watchers are woken again when it
// hides no more.
func (b *box) hidden(dir string, i int, s shelf, cost time.Duration) {
	if s.Stamped && !s.Settled {
		age := time.Since(time.Unix(0, s.Since))
		watch.Process.Again(b.fsys, hides(time.Unix(0, s.MTime), cost)-age+time.Millisecond, dir, shelfNames[i])
	}
}

// changed is that for changes of the set of mailboxes and of the subscriptions.
// The folders are those that became a mailbox or were one.
func (s *store) changed(dirs ...string) {
	for _, dir := range append(dirs, s.root) {
		watch.Process.Changed(s.backend.fsys, dir)
	}
}

func froms(moves []renaming) (dirs []string) {
	for _, m := range moves {
		dirs = append(dirs, m.from)
	}
	return dirs
}
