package maildir

import (
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Layout says where in a tree the folders of its mailboxes are.
type Layout uint8

const (
	// MaildirPlusPlus has them beside each other: "a/b" is ".a.b". No name has a
	// "." in it.
	MaildirPlusPlus Layout = iota

	// Folders has them in each other: "a/b" is "a/b", as with Dovecot's LAYOUT=fs.
	// A folder without cur/ is no mailbox: List yields it, as a name only, if there
	// are mailboxes below it. No part of a name begins with "." or is called as
	// what is in a mailbox's folder: "cur", "new", "tmp", "subscriptions",
	// "maildirfolder", or beginning with "dovecot-", "dovecot.", "mailparts-",
	// "mailparts.", "courierimap", "courierpop3" or "maildirsize". Nor can a
	// mailbox be renamed to a name that is only one, or to one below its own. A Dovecot
	// beside us needs mailbox_list_index=no: its index of such a tree does not notice
	// mailboxes that others make.
	Folders
)

// folder is one of a tree.
type folder struct {
	path      string // below the tree
	isMailbox bool
}

// folders yields those where mailboxes may be, but INBOX's, in no order: whether
// their names can be mailboxes' or not. One that is renamed meanwhile may be missed.
func (b *Backend) folders(root string) iter.Seq2[folder, error] {
	return func(yield func(folder, error) bool) {
		if b.Layout == Folders {
			b.walk(root, "", yield)
			return
		}
		names, err := b.fsys.ReadDir(root)
		if err != nil {
			yield(folder{}, err)
			return
		}
		for _, name := range names {
			if !strings.HasPrefix(name, ".") || strings.HasPrefix(name, "..") {
				continue
			}
			is, _, err := b.isFolder(filepath.Join(root, name))
			if (is || err != nil) && (!yield(folder{name, true}, err) || err != nil) {
				return
			}
		}
	}
}

// walk yields the folder at a path below root, and all in it. A symbolic link is
// the folder that it leads to, without what is in that: so it leads nowhere else, and
// not in a circle.
func (b *Backend) walk(root, at string, yield func(folder, error) bool) bool {
	names, err := b.fsys.ReadDir(filepath.Join(root, at))
	if isAbsent(err) && at != "" {
		return true
	}
	if err != nil {
		yield(folder{}, err)
		return false
	}
	if at != "" && !yield(folder{at, slices.Contains(names, "cur")}, nil) {
		return false
	}
	for _, name := range names {
		if isReserved(name) {
			continue
		}
		path := filepath.Join(at, name)
		is, link, err := b.isFolder(filepath.Join(root, path))
		if err != nil {
			yield(folder{}, err)
			return false
		}
		more := true
		if link && is {
			cur, _, err := b.isFolder(filepath.Join(root, path, "cur"))
			more = yield(folder{path, cur && err == nil}, nil)
		} else if is {
			more = b.walk(root, path, yield)
		}
		if !more {
			return false
		}
	}
	return true
}

// isFolder reports whether there is a folder, or a symbolic link to one. A link that
// leads nowhere is none.
func (b *Backend) isFolder(path string) (is, link bool, err error) {
	fi, err := b.fsys.Lstat(path)
	if isAbsent(err) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		fi, err = b.fsys.Stat(path)
		return err == nil && fi.IsDir(), true, nil
	}
	return fi.IsDir(), false, nil
}

// isAbsent reports whether err says that there is no such file, and no folder where
// it would be.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func (s *store) folderOf(name string) (string, error) { return s.backend.naming().folderOf(name) }

// isMailbox reports whether a mailbox has the folder.
func (s *store) isMailbox(path string) (bool, error) {
	if s.backend.Layout == Folders {
		if within, err := s.isWithin(path); err != nil || !within {
			return false, err
		}
		path = filepath.Join(path, "cur")
	}
	is, _, err := s.backend.isFolder(filepath.Join(s.root, path))
	return is, err
}

// isWithin reports whether what is at a path below the tree is the tree's: there is
// no symbolic link on the way.
func (s *store) isWithin(path string) (bool, error) {
	for at := filepath.Dir(path); at != "."; at = filepath.Dir(at) {
		_, link, err := s.backend.isFolder(filepath.Join(s.root, at))
		if link || err != nil {
			return false, err
		}
	}
	return true, nil
}
