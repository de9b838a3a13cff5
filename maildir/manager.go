package maildir

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// trash begins the names of folders that are on their way out.
const trash = "..mailparts-"

// lockNames excludes others who change the set of mailboxes.
func (s *store) lockNames(ctx context.Context) (io.Closer, error) {
	return s.backend.lockFile(ctx, filepath.Join(s.root, namesLock))
}

// Create makes the mailbox and no parents. Special uses are not kept, so that
// there must be none.
func (s *store) Create(ctx context.Context, name string, use ...string) error {
	folder, err := folderOf(name)
	if err != nil {
		return err
	}
	if folder == "" {
		return mailparts.ErrExists
	}
	if len(use) > 0 {
		return errors.ErrUnsupported
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return quota(err)
	}
	defer lock.Close()
	dir := filepath.Join(s.root, folder)
	defer s.changed(dir)
	err = s.backend.fsys.Mkdir(dir, dirMode)
	if errors.Is(err, fs.ErrExist) {
		return mailparts.ErrExists
	}
	if err == nil {
		if _, err = s.complete(ctx, dir); err != nil {
			s.remove(dir)
		}
	}
	return quota(err)
}

// Delete answers ErrPermission for INBOX, which always exists.
func (s *store) Delete(ctx context.Context, name string) error {
	folder, err := folderOf(name)
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
	dir := filepath.Join(s.root, folder)
	if is, err := s.isFolder(dir); err != nil || !is {
		return cmp.Or(err, mailparts.ErrNoMailbox)
	}
	change, err := s.backend.lockFile(ctx, filepath.Join(dir, changeLock))
	if err != nil {
		return err
	}
	defer change.Close()
	refund := s.quotaRoot().refund(ctx)
	defer refund.close()
	refund.weighMailbox(dir)
	if err := s.remove(dir); err != nil {
		return err
	}
	refund.removed()
	s.emptyTrash()
	return nil
}

// remove takes a mailbox away in one step, durably. Its files may go later.
func (s *store) remove(dir string) error {
	b := s.backend
	defer s.changed(dir)
	away := filepath.Join(s.root, trash+b.names.unique(time.Now()))
	if err := b.fsys.Rename(dir, away); err != nil {
		return err
	}
	if err := b.fsys.SyncDir(s.root); err != nil {
		return errors.Join(err, b.fsys.Rename(away, dir))
	}
	return nil
}

// emptyTrash removes the files of deleted mailboxes, also of those where a crash
// or an error left some.
func (s *store) emptyTrash() {
	folders, err := s.backend.fsys.ReadDir(s.root)
	for _, folder := range folders {
		if strings.HasPrefix(folder, trash) {
			err = errors.Join(err, s.removeAll(filepath.Join(s.root, folder)))
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

func (s *store) isFolder(path string) (bool, error) {
	fi, err := s.backend.fsys.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && fi.IsDir(), err
}

// renaming is one folder's part in a Rename.
type renaming struct{ from, to string }

// Rename answers ErrPermission for INBOX, and ErrExists if any of the new names
// is taken.
func (s *store) Rename(ctx context.Context, from, to string) error {
	fromFolder, err := folderOf(from)
	if err != nil {
		return err
	}
	toFolder, err := folderOf(to)
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
	moves, err := s.renamings(fromFolder, toFolder)
	if err != nil {
		return err
	}
	for _, m := range moves { // or else a message may be on its way there
		change, err := s.backend.lockFile(ctx, filepath.Join(m.from, changeLock))
		if err != nil {
			return err
		}
		defer change.Close()
	}
	return s.rename(moves)
}

// renamings plans the renaming of a mailbox and its children.
func (s *store) renamings(from, to string) (moves []renaming, err error) {
	folders, err := s.backend.fsys.ReadDir(s.root)
	if err != nil {
		return nil, err
	}
	if is, err := s.isFolder(filepath.Join(s.root, from)); err != nil || !is {
		return nil, cmp.Or(err, mailparts.ErrNoMailbox)
	}
	if to == "" {
		return nil, mailparts.ErrExists
	}
	slices.Sort(folders)
	for _, folder := range folders {
		if folder != from && !strings.HasPrefix(folder, from+".") {
			continue
		}
		if is, err := s.isFolder(filepath.Join(s.root, folder)); err != nil {
			return nil, err
		} else if !is {
			continue
		}
		target := to + folder[len(from):]
		if _, taken := slices.BinarySearch(folders, target); taken {
			return nil, mailparts.ErrExists
		}
		if len(target) > maxName {
			return nil, mailparts.ErrBadName
		}
		moves = append(moves, renaming{filepath.Join(s.root, folder), filepath.Join(s.root, target)})
	}
	return moves, nil
}

// rename does all of it or nothing, but for a crash: then each mailbox has one of
// its names.
func (s *store) rename(moves []renaming) error {
	fsys := s.backend.fsys
	defer s.changed(froms(moves)...)
	var err error
	done := 0
	for ; done < len(moves) && err == nil; done++ {
		err = fsys.Rename(moves[done].from, moves[done].to)
	}
	if err != nil {
		done--
	} else if err = fsys.SyncDir(s.root); err == nil {
		return nil
	}
	for _, m := range slices.Backward(moves[:done]) {
		err = errors.Join(err, fsys.Rename(m.to, m.from))
	}
	return err
}
