package mbox

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// lockNames excludes others who change the set of mailboxes, and finishes what a
// crash has left undone.
func (s *store) lockNames(ctx context.Context) (io.Closer, error) {
	lock, err := s.backend.lockFile(ctx, filepath.Join(s.side, namesLock))
	if err != nil {
		return nil, err
	}
	if err := s.finishMoves(); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// Create makes the mailbox and the folders above it. Special uses are not kept, so
// that there must be none.
func (s *store) Create(ctx context.Context, name string, use ...string) error {
	if _, err := partsOf(name); err != nil {
		return err
	}
	if name == inbox {
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
	path, err := s.makeWay(name)
	if err == nil {
		err = s.create(ctx, name, path)
	}
	s.backend.changed(path)
	if err != nil {
		s.prune(filepath.Dir(path))
	}
	return quota(err)
}

// makeWay returns where the file of a mailbox is to be, once there is a folder for
// it and none in its place.
func (s *store) makeWay(name string, coming ...string) (path string, err error) {
	path, _, err = s.locate(name, coming...)
	if err != nil {
		return "", err
	}
	fsys := s.backend.fsys
	fi, err := fsys.Stat(path)
	switch {
	case err == nil && !fi.IsDir():
		return path, mailparts.ErrExists
	case err == nil:
		return path, s.yield(path)
	case !errors.Is(err, fs.ErrNotExist):
		return path, err
	}
	return path, disk.MkdirAll(fsys, filepath.Dir(path), dirMode)
}

// yield gives a folder the name that it has beside a mailbox of its name.
func (s *store) yield(dir string) error {
	fsys := s.backend.fsys
	if fsys.Remove(dir) == nil { // it was empty
		return nil
	}
	if there, err := exists(fsys, dir+subSuffix); there || err != nil {
		return cmp.Or(err, mailparts.ErrBadName)
	}
	if err := fsys.Rename(dir, dir+subSuffix); err != nil {
		return err
	}
	if err := fsys.SyncDir(filepath.Dir(dir)); err != nil {
		return errors.Join(err, fsys.Rename(dir+subSuffix, dir))
	}
	return nil
}

func exists(fsys disk.FS, name string) (bool, error) {
	_, err := fsys.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// create makes the file, with a message that is none and has the numbers. It gets its
// name last, which is durable then.
func (s *store) create(ctx context.Context, name, path string) error {
	fsys := s.backend.fsys
	validity, err := s.newValidity(ctx)
	if err != nil {
		return err
	}
	s.forgetSide(name)
	return disk.WriteFile(fsys, path, pseudoMessage(base{validity: validity}, time.Now()), fileMode)
}

// forgetSide removes what is left of an earlier mailbox of that name.
func (s *store) forgetSide(name string) {
	for _, suffix := range sideSuffixes {
		s.backend.fsys.Remove(s.sideOf(name) + suffix)
	}
}

// prune removes folders that have nothing in them, from one upwards.
func (s *store) prune(dir string) {
	for ; len(dir) > len(s.root) && s.backend.fsys.Remove(dir) == nil; dir = filepath.Dir(dir) {
	}
}

// Delete answers ErrPermission for INBOX, which always exists.
func (s *store) Delete(ctx context.Context, name string) error {
	if _, err := partsOf(name); err != nil {
		return err
	}
	if name == inbox {
		return mailparts.ErrPermission
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	path, _, err := s.locate(name)
	if err != nil {
		return err
	}
	if _, err := s.identify(path); err != nil {
		return err
	}
	side, err := s.backend.lockFile(ctx, s.sideOf(name)+lockSuffix)
	if err != nil {
		return err
	}
	defer side.Close()
	if err := s.backend.fsys.Remove(path); err != nil {
		return err
	}
	if err := s.backend.fsys.SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	s.backend.changed(path)
	s.forgetSide(name)
	s.prune(filepath.Dir(path))
	return nil
}
