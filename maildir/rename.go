package maildir

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// renaming is one folder's part in a Rename, or one file's in a Delete.
type renaming struct{ from, to string }

func (r renaming) back() renaming { return renaming{r.to, r.from} }

// Rename answers ErrPermission for INBOX, and ErrExists if any of the new names
// is taken.
func (s *store) Rename(ctx context.Context, from, to string) error {
	fromFolder, err := s.folderOf(from)
	if err != nil {
		return err
	}
	toFolder, err := s.folderOf(to)
	if err != nil {
		return err
	}
	if fromFolder == "" {
		return mailparts.ErrPermission
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	boxes, err := s.renamings(fromFolder, toFolder)
	if err != nil {
		return err
	}
	defer s.changed(froms(boxes)...)
	for _, m := range boxes { // or else a message may be on its way there
		change, err := s.backend.lockFile(ctx, filepath.Join(m.from, changeLock))
		if err != nil {
			return err
		}
		defer change.Close()
	}
	if s.backend.Layout != Folders {
		return s.rename(boxes, s.root)
	}
	if err := s.makeParents(toFolder); err != nil {
		return err
	}
	// In the other order a crash could leave the mailbox nowhere.
	err = s.rename(boxes[:1], filepath.Dir(boxes[0].to), filepath.Dir(boxes[0].from))
	if s.prune(toFolder); err == nil {
		s.prune(fromFolder)
	}
	return err
}

// renamings plans the renaming of a mailbox, which comes first, and its children.
func (s *store) renamings(from, to string) (boxes []renaming, err error) {
	b := s.backend
	if is, err := s.isMailbox(from); err != nil || !is {
		return nil, cmp.Or(err, mailparts.ErrNoMailbox)
	}
	if to == "" {
		return nil, mailparts.ErrExists
	}
	paths := []string{from}
	for f, err := range b.folders(s.root) {
		if err != nil {
			return nil, err
		}
		if f.isMailbox && strings.HasPrefix(f.path, from+b.naming().sep()) {
			paths = append(paths, f.path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		target := to + path[len(from):]
		if len(target) > b.naming().maxFolder() {
			return nil, mailparts.ErrBadName
		}
		taken, err := s.isTaken(target)
		if err != nil || taken {
			return nil, cmp.Or(err, mailparts.ErrExists)
		}
		if b.Layout == Folders && strings.HasPrefix(to, from+"/") {
			return nil, mailparts.ErrBadName
		}
		boxes = append(boxes, renaming{filepath.Join(s.root, path), filepath.Join(s.root, target)})
	}
	return boxes, nil
}

// isTaken reports whether there is anything at a path below the tree.
func (s *store) isTaken(path string) (bool, error) {
	_, err := s.backend.fsys.Lstat(filepath.Join(s.root, path))
	if isAbsent(err) {
		return false, nil
	}
	return err == nil, err
}

// rename does all of it or nothing, but for a crash: then each mailbox has one of
// its names. Folders to sync are given in the order in which that must be done.
func (s *store) rename(moves []renaming, folders ...string) error {
	fsys := s.backend.fsys
	var err error
	done := 0
	for ; done < len(moves) && err == nil; done++ {
		err = fsys.Rename(moves[done].from, moves[done].to)
	}
	if err != nil {
		done--
	}
	for _, dir := range slices.Compact(folders) {
		if err == nil {
			err = fsys.SyncDir(dir)
		}
	}
	if err == nil {
		return nil
	}
	for _, m := range slices.Backward(moves[:done]) {
		err = errors.Join(err, fsys.Rename(m.to, m.from))
	}
	return err
}
