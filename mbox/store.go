package mbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/mailparts/mailparts"
)

// store is one user's mail.
type store struct {
	backend *Backend
	root    string // the tree
	inbox   string // the file, in the tree or not
	side    string // the folder of what is kept beside the mail
}

var (
	_ mailparts.Backend       = (*Backend)(nil)
	_ mailparts.Manager       = (*store)(nil)
	_ mailparts.Subscriber    = (*store)(nil)
	_ mailparts.Watcher       = (*store)(nil)
	_ mailparts.Locker        = (*mailbox)(nil)
	_ mailparts.Watcher       = (*mailbox)(nil)
	_ mailparts.RecentClaimer = (*mailbox)(nil)
)

// List yields INBOX and then the others in the order of their names. A file whose
// name is no mailbox's is left out.
func (s *store) List(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		names, err := s.names(ctx)
		for _, name := range names {
			if !yield(mailparts.MailboxInfo{Name: name}, nil) {
				return
			}
		}
		if err != nil {
			yield(mailparts.MailboxInfo{}, err)
		}
	}
}

func (s *store) names(ctx context.Context) ([]string, error) {
	names := []string{inbox}
	err := s.walk(ctx, s.root, "", func(name, path string) { names = append(names, name) })
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	sortNames(names)
	return names, err
}

// walk calls visit for each mailbox below a folder but INBOX. What cannot be looked at
// is left out, so that the others are there.
func (s *store) walk(ctx context.Context, dir, prefix string, visit func(name, path string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	files, err := s.backend.fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	slices.Sort(files) // "a" before "a.sbd"
	folders := map[string]bool{}
	for _, file := range files {
		if isHidden(file) {
			continue
		}
		part, ok := partOf(file)
		path := filepath.Join(dir, file)
		if !ok || len(prefix)+len(part) > maxPath || path == s.inbox {
			continue
		}
		fi, err := s.backend.fsys.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case isClosed(err):
			s.backend.log.Warn("a file of a tree is left out", "file", path, "error", err)
		case err != nil:
			return err
		case fi.IsDir():
			if folders[part] { // as folder does
				continue
			}
			folders[part] = true
			err := s.walk(ctx, path, prefix+part+"/", visit)
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case isClosed(err):
				s.backend.log.Warn("a folder of a tree is left out", "folder", path, "error", err)
			case err != nil:
				return err
			}
		case fi.Mode().IsRegular() && !strings.HasSuffix(file, subSuffix):
			if _, err := partsOf(prefix + part); err == nil {
				visit(prefix+part, path)
			}
		}
	}
	return nil
}

// isClosed is of a file or folder that others are not to go without: a symbolic link
// to itself, and what the user may not look at.
func isClosed(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, fs.ErrPermission)
}

// locate returns where the file of a mailbox is, or would be if it can be made: the
// folders are there if ok. Coming are other mailboxes that are to be there too, in
// modified UTF-7.
func (s *store) locate(name string, coming ...string) (path string, ok bool, err error) {
	parts, err := partsOf(name)
	if err != nil {
		return "", false, err
	}
	if name == inbox {
		return s.inbox, true, nil
	}
	dir, ok := s.root, true
	last := len(parts) - 1
	for i, p := range parts[:last] {
		at := filepath.Join(dir, p)
		if dir, ok, err = s.folder(at, ok); err != nil {
			return "", false, err
		}
		if !ok && slices.Contains(coming, strings.Join(parts[:i+1], "/")) {
			dir = at + subSuffix
		}
	}
	path = filepath.Join(dir, parts[last])
	if len(path) > maxPath+len(s.root) || path == s.inbox { // which has another name
		return "", false, mailparts.ErrBadName
	}
	return path, ok, nil
}

// folder returns the folder of the children of what is or would be at path: itself,
// or beside a mailbox the one with subSuffix.
func (s *store) folder(path string, look bool) (dir string, ok bool, err error) {
	if !look {
		return path, false, nil
	}
	file := false
	for _, dir := range []string{path, path + subSuffix} {
		fi, err := s.backend.fsys.Stat(dir)
		if err == nil && fi.IsDir() {
			return dir, true, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", false, err
		}
		file = file || err == nil && dir == path
	}
	if file {
		path += subSuffix
	}
	return path, false, nil
}

// sideOf is the path of what is kept beside a mailbox, without its suffix. Names
// are hashed, since a path would not do for the name of a file.
func (s *store) sideOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(s.side, hex.EncodeToString(sum[:12]))
}

// Mailbox returns a handle.
func (s *store) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if err := s.finishRename(ctx); err != nil {
		return nil, err
	}
	for {
		b, err := s.open(ctx, name)
		if err != nil {
			return nil, err
		}
		// The handle is to what is there now: its UIDVALIDITY must be known.
		err = b.refreshAll(ctx)
		if errors.Is(err, mailparts.ErrNoMailbox) && b.isGone() {
			continue // it was another one that had the name
		}
		if err != nil {
			return nil, quota(err)
		}
		return &mailbox{b}, nil
	}
}

func (s *store) open(ctx context.Context, name string) (*box, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, _, err := s.locate(name)
	if err != nil {
		return nil, err
	}
	id, err := s.identify(path)
	if errors.Is(err, mailparts.ErrNoMailbox) && name == inbox {
		id, err = s.makeInbox(path)
	}
	if err != nil {
		return nil, quota(err)
	}
	return s.backend.share(s, name, path, id), nil
}

// identify returns what mailbox the file is.
func (s *store) identify(path string) (id identity, err error) {
	id.file, err = s.backend.fsys.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !id.file.Mode().IsRegular() {
		return id, mailparts.ErrNoMailbox
	}
	return id, err
}

// makeInbox makes the file of an INBOX that is not there. A spool in which the user
// may make no file has an empty INBOX.
func (s *store) makeInbox(path string) (id identity, err error) {
	err = s.makeFile(path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return id, nil
	}
	if err != nil {
		return id, err
	}
	return s.identify(path)
}

// makeFile makes an empty file, durably.
func (s *store) makeFile(path string) error {
	f, err := s.backend.fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return s.backend.fsys.SyncDir(filepath.Dir(path))
}
