package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// trash begins the names of folders that are on their way out.
const trash = "..mailparts-"

// trashIn is where they are: nobody looks for mailboxes there.
func (s *store) trashIn() string {
	if s.backend.Layout == Folders {
		return filepath.Join(s.root, "tmp")
	}
	return s.root
}

// lockNames excludes others who change the set of mailboxes.
func (s *store) lockNames(ctx context.Context) (io.Closer, error) {
	return s.backend.lockFile(ctx, filepath.Join(s.root, namesLock))
}

// Create makes the mailbox and no parents that are mailboxes. The special uses are
// those that Annotate takes.
func (s *store) Create(ctx context.Context, name string, use ...string) error {
	folder, err := s.folderOf(name)
	if err != nil {
		return err
	}
	if folder == "" {
		return mailparts.ErrExists
	}
	uses, bad := usesOf(use)
	if bad {
		return fmt.Errorf("special use %q: %w", use, errors.ErrUnsupported)
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return quota(err)
	}
	defer lock.Close()
	defer s.changed(filepath.Join(s.root, folder))
	made, err := s.makeFolder(folder)
	if err != nil {
		return quota(err)
	}
	dir := filepath.Join(s.root, folder)
	if err = s.backend.beginAnnotations(dir, uses); err == nil {
		_, err = s.complete(ctx, dir)
	}
	if err != nil {
		s.unmake(folder, made)
	}
	return quota(err)
}

// makeFolder makes a mailbox's folder, or reports false if it is there and no
// mailbox has it.
func (s *store) makeFolder(folder string) (made bool, err error) {
	if err := s.makeParents(folder); err != nil {
		return false, err
	}
	err = s.backend.fsys.Mkdir(filepath.Join(s.root, folder), dirMode)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		s.prune(folder)
		return false, err
	}
	is, _, err := s.backend.isFolder(filepath.Join(s.root, folder))
	if err == nil && is {
		if is, err = s.isMailbox(folder); err == nil && !is {
			return false, nil
		}
	}
	return false, cmp.Or(err, mailparts.ErrExists)
}

// unmake undoes what Create has done. What was in the folder before stays.
func (s *store) unmake(folder string, made bool) {
	dir := filepath.Join(s.root, folder)
	if made {
		s.rename([]renaming{{dir, s.away()}}, filepath.Dir(dir))
		s.emptyTrash()
		s.prune(folder)
		return
	}
	s.backend.fsys.Remove(filepath.Join(dir, "cur"))
}

// makeParents makes the folders above one, durably.
func (s *store) makeParents(folder string) error {
	within, err := s.isWithin(folder)
	if err != nil {
		return err
	}
	if within {
		err = disk.MkdirAll(s.backend.fsys, filepath.Join(s.root, filepath.Dir(folder)), dirMode)
	}
	if !within || isAbsent(err) || errors.Is(err, fs.ErrExist) { // a link or a file is in the way
		return mailparts.ErrBadName
	}
	return err
}

// prune removes the folders above one that is gone, as long as there is nothing in
// them but locks.
func (s *store) prune(folder string) {
	if s.backend.Layout != Folders {
		return
	}
	fsys := s.backend.fsys
	for at := filepath.Dir(folder); at != "."; at = filepath.Dir(at) {
		dir := filepath.Join(s.root, at)
		if is, err := s.isMailbox(at); is || err != nil {
			return
		}
		fsys.Remove(filepath.Join(dir, changeLock))
		fsys.Remove(filepath.Join(dir, sessionLock))
		if fsys.Remove(dir) != nil {
			return
		}
	}
}

// Delete answers ErrPermission for INBOX, which always exists.
func (s *store) Delete(ctx context.Context, name string) error {
	folder, err := s.folderOf(name)
	if err != nil {
		return err
	}
	if folder == "" {
		return mailparts.ErrPermission
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	if is, err := s.isMailbox(folder); err != nil || !is {
		return cmp.Or(err, mailparts.ErrNoMailbox)
	}
	dir := filepath.Join(s.root, folder)
	change, err := s.backend.lockFile(ctx, filepath.Join(dir, changeLock))
	if err != nil {
		return err
	}
	defer change.Close()
	refund := s.quotaRoot().refund(ctx)
	defer refund.close()
	refund.weighMailbox(dir)
	removeIndex := s.indexRemover(dir)
	if err := s.takeAway(dir); err != nil {
		return err
	}
	refund.removed()
	removeIndex()
	s.emptyTrash()
	s.prune(folder)
	return nil
}

// takeAway removes a mailbox in one step, durably: by the renaming of its folder or,
// if there are others in that, of its cur/. Its files may go later.
func (s *store) takeAway(dir string) error {
	defer s.changed(dir)
	files, others, err := s.content(dir)
	if err != nil {
		return err
	}
	to := s.away()
	if !others {
		whole := renaming{dir, to}
		if err := s.rename([]renaming{whole}, filepath.Dir(dir)); err != nil {
			return err
		}
		if files, others, err = s.content(to); !others && err == nil {
			return nil
		}
		// Dovecot has made one in that moment, or nobody knows.
		if err := errors.Join(err, s.rename([]renaming{whole.back()}, filepath.Dir(dir))); err != nil {
			return err
		}
		to = s.away()
	}
	if err := s.backend.fsys.Mkdir(to, dirMode); err != nil {
		return err
	}
	var moves []renaming
	for _, name := range files {
		moves = append(moves, renaming{filepath.Join(dir, name), filepath.Join(to, name)})
	}
	return s.rename(moves, dir)
}

// away is where something goes that is to be removed.
func (s *store) away() string {
	return filepath.Join(s.trashIn(), trash+s.backend.names.unique(time.Now()))
}

// content returns what in a folder is its mailbox's, cur first, and whether there are
// folders in it that are not.
func (s *store) content(dir string) (files []string, others bool, err error) {
	b := s.backend
	if _, link, err := b.isFolder(dir); err != nil || link || b.Layout != Folders {
		return nil, false, err
	}
	names, err := b.fsys.ReadDir(dir)
	for _, name := range names {
		is := false
		if !isReserved(name) && err == nil {
			is, _, err = b.isFolder(filepath.Join(dir, name))
		}
		if is {
			others = true
		} else {
			files = append(files, name)
		}
	}
	if i := slices.Index(files, "cur"); i > 0 {
		files[0], files[i] = files[i], files[0]
	}
	return files, others, err
}

// emptyTrash removes the files of deleted mailboxes, also of those where a crash
// or an error left some.
func (s *store) emptyTrash() {
	in := s.trashIn()
	folders, err := s.backend.fsys.ReadDir(in)
	for _, folder := range folders {
		if strings.HasPrefix(folder, trash) {
			err = errors.Join(err, s.removeAll(filepath.Join(in, folder)))
		}
	}
	if err != nil {
		s.backend.log.Warn("files of a deleted mailbox are left", "tree", s.root, "error", err)
	}
}

// removeAll removes links to folders, and nothing in such folders.
func (s *store) removeAll(path string) error {
	err := s.backend.fsys.Remove(path)
	if !errors.Is(err, fs.ErrExist) { // ENOTEMPTY too
		return err
	}
	names, err := s.backend.fsys.ReadDir(path)
	for _, name := range names {
		err = errors.Join(err, s.removeAll(filepath.Join(path, name)))
	}
	return errors.Join(err, s.backend.fsys.Remove(path))
}
