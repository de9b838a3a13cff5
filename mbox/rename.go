package mbox

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// A Rename moves files from folder to folder, one after the other, and a crash could
// come between any two steps of it. So what it is to do is written down first,
// durably, and finished by who comes next.

// move is one mailbox's part in a Rename. Paths are relative to the tree.
type move struct {
	From, To         string // mailboxes
	FromPath, ToPath string
}

// Rename answers ErrPermission for INBOX and for a symbolic link that would come into
// another folder, where it may lead nowhere, and ErrExists if any of the new names is
// taken.
func (s *store) Rename(ctx context.Context, from, to string) error {
	if _, err := partsOf(from); err != nil {
		return err
	}
	if _, err := partsOf(to); err != nil {
		return err
	}
	if from == inbox {
		return mailparts.ErrPermission
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return quota(err)
	}
	defer lock.Close()
	moves, err := s.moves(ctx, from, to)
	if err != nil {
		return quota(err)
	}
	for i := range moves {
		// Who has the lock of a mailbox believes in its path.
		for _, name := range []string{moves[i].From, moves[i].To} {
			side, err := s.backend.lockFile(ctx, s.sideOf(name)+lockSuffix)
			if err != nil {
				return err
			}
			defer side.Close()
		}
	}
	return quota(s.rename(moves))
}

// moves plans a Rename.
func (s *store) moves(ctx context.Context, from, to string) (moves []move, err error) {
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names[1:] {
		if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
			moves = append(moves, move{From: name, To: to + rest})
		}
	}
	if len(moves) == 0 || moves[0].From != from {
		return nil, mailparts.ErrNoMailbox
	}
	if to == inbox {
		return nil, mailparts.ErrExists
	}
	for _, m := range moves {
		if _, ok := slices.BinarySearch(names[1:], m.To); ok {
			return nil, mailparts.ErrExists
		}
		if _, err := partsOf(m.To); err != nil {
			return nil, err
		}
	}
	return moves, nil
}

// rename does all of it, or after a crash the next one does.
func (s *store) rename(moves []move) error {
	err := s.plan(moves)
	if err == nil {
		var text []byte
		if text, err = json.Marshal(moves); err == nil {
			file := filepath.Join(s.side, renameName)
			if err = disk.WriteFile(s.backend.fsys, file, text, fileMode); err != nil {
				s.backend.fsys.Remove(file)
			}
		}
	}
	if err != nil {
		for _, m := range moves {
			if m.ToPath != "" {
				s.prune(filepath.Dir(filepath.Join(s.root, m.ToPath)))
			}
		}
		return err
	}
	return s.finishMoves()
}

// plan says from where to where, and makes the folders.
func (s *store) plan(moves []move) error {
	var coming []string
	for i := range moves {
		m := &moves[i]
		path, err := s.makeWay(m.To, coming...)
		if err == nil {
			m.ToPath, err = filepath.Rel(s.root, path)
		}
		if err != nil {
			return err
		}
		parts, _ := partsOf(m.To)
		coming = append(coming, strings.Join(parts, "/"))
	}
	for i := range moves { // now, since a folder may have given way to a mailbox
		m := &moves[i]
		path, _, err := s.locate(m.From)
		if err == nil {
			m.FromPath, err = filepath.Rel(s.root, path)
		}
		if err == nil && filepath.Dir(m.FromPath) != filepath.Dir(m.ToPath) {
			err = s.mayMove(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mayMove refuses a symbolic link.
func (s *store) mayMove(path string) error {
	fi, err := s.backend.fsys.Lstat(path)
	if err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		err = mailparts.ErrPermission
	}
	return err
}

// finishRename is for who is about to look at the mailboxes.
func (s *store) finishRename(ctx context.Context) error {
	if there, err := exists(s.backend.fsys, filepath.Join(s.side, renameName)); !there || err != nil {
		return err
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return err
	}
	return lock.Close()
}

// finishMoves does what is written down.
func (s *store) finishMoves() error {
	fsys, file := s.backend.fsys, filepath.Join(s.side, renameName)
	text, err := disk.ReadFile(fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var moves []move
	err = json.Unmarshal(text, &moves)
	if err != nil || !areSound(moves) {
		aside := file + ".bad"
		s.backend.log.Error("what a Rename was to do cannot be read", "file", aside, "error", err)
		return fsys.Rename(file, aside)
	}
	for _, m := range moves {
		if err := s.move(m); err != nil {
			return err
		}
	}
	if err := fsys.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsys.SyncDir(s.side)
}

// areSound reports whether moves stay in the tree, and leave what is no mailbox alone.
func areSound(moves []move) bool {
	for _, m := range moves {
		for _, path := range []string{m.FromPath, m.ToPath} {
			if !filepath.IsLocal(path) || slices.ContainsFunc(strings.Split(filepath.ToSlash(path), "/"), isHidden) {
				return false
			}
		}
	}
	return true
}

// move moves one mailbox, in steps that may be done again.
func (s *store) move(m move) error {
	fsys := s.backend.fsys
	from, to := filepath.Join(s.root, m.FromPath), filepath.Join(s.root, m.ToPath)
	there, err := exists(fsys, from)
	if err != nil {
		return err
	}
	if there {
		if err := disk.MkdirAll(fsys, filepath.Dir(to), dirMode); err != nil {
			return err
		}
		for _, suffix := range sideSuffixes {
			err := fsys.Rename(s.sideOf(m.From)+suffix, s.sideOf(m.To)+suffix)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := fsys.SyncDir(s.side); err != nil {
			return err
		}
		if err := s.moveFile(from, to); err != nil {
			return err
		}
	}
	s.backend.changed(from)
	s.backend.changed(to)
	s.prune(filepath.Dir(from))
	return nil
}

// moveFile gives a file another name, and takes the old one away when that is
// durable. Where there are no links a rename must do.
func (s *store) moveFile(from, to string) error {
	fsys := s.backend.fsys
	err := fsys.Link(from, to)
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, errors.ErrUnsupported):
		if err := fsys.Rename(from, to); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrExist):
		// It was made before a crash.
	case err != nil:
		return err
	}
	if err := fsys.SyncDir(filepath.Dir(to)); err != nil {
		return err
	}
	if err := fsys.Remove(from); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsys.SyncDir(filepath.Dir(from))
}
