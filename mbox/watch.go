package mbox

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/watch"
)

// Watch tells of what anyone does to the mailbox, whatever its name becomes, and
// that it is gone.
func (m *mailbox) Watch(ctx context.Context, wake func()) error {
	if err := m.refresh(ctx); err != nil {
		return err
	}
	paths := func(add func(watch.Path)) error { return m.paths(ctx, add) }
	return m.Backend.watch(ctx, paths, wake)
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
func (b *box) paths(ctx context.Context, add func(watch.Path)) error {
	err := b.refresh(ctx)
	if errors.Is(err, mailparts.ErrNoMailbox) {
		return nil
	}
	_, path, werr := b.where()
	if err = errors.Join(err, werr); err == nil {
		addFile(path, add)
	}
	return err
}

// addFile adds a mailbox's file: in its folder its name may come and go.
func addFile(path string, add func(watch.Path)) {
	base := filepath.Base(path)
	add(watch.Path{Name: filepath.Dir(path), Files: []string{base}, Effect: func(name string) watch.Effect {
		if name == base {
			return watch.Renew
		}
		return watch.Nothing
	}})
}

// paths adds each folder before it looks what is in it.
func (s *store) paths(ctx context.Context, add func(watch.Path)) error {
	if filepath.Dir(s.inbox) != s.root {
		addFile(s.inbox, add)
	}
	return s.addFolder(ctx, s.root, add)
}

func (s *store) addFolder(ctx context.Context, dir string, add func(watch.Path)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := watch.Path{Name: dir, Effect: treeEffect}
	if dir == s.root {
		path.Files = []string{subscriptionsName}
	}
	add(path)
	files, err := s.backend.fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, file := range files {
		if isHidden(file) || err != nil {
			continue
		}
		name := filepath.Join(dir, file)
		fi, serr := s.backend.fsys.Stat(name)
		switch {
		case errors.Is(serr, fs.ErrNotExist):
		case serr != nil:
			err = serr
		case fi.IsDir():
			err = s.addFolder(ctx, name, add)
		default:
			path.Files = append(path.Files, file)
		}
	}
	add(path) // now with its files
	return err
}

// treeEffect is that of a change of what has a name in a tree.
func treeEffect(name string) watch.Effect {
	switch {
	case name == subscriptionsName:
		return watch.Wake
	case isHidden(name):
		return watch.Nothing
	}
	return watch.Renew
}

// changed has the watchers woken after a change of our own.
func (b *Backend) changed(path string) {
	watch.Process.Changed(b.fsys, path)
	watch.Process.Changed(b.fsys, filepath.Dir(path))
}
