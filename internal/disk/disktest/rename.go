package disktest

import (
	"syscall"
	"time"
)

// Rename implements disk.FS.
func (f *FS) Rename(from, to string) error {
	err := f.begin("rename", from)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	return linkError("rename", from, to, f.rename(from, to))
}

func (f *FS) rename(from, to string) error {
	fromDir, fromBase, err := f.parent(from)
	if err != nil {
		return err
	}
	toDir, toBase, err := f.parent(to)
	if err != nil {
		return err
	}
	n := fromDir.entries[fromBase]
	if n == nil {
		return syscall.ENOENT
	}
	if n.contains(toDir) {
		return syscall.EINVAL
	}
	if old := toDir.entries[toBase]; old != nil {
		if old == n { // two names of one file: POSIX does nothing
			return nil
		}
		if err := replaceable(old, n); err != nil {
			return err
		}
		old.links--
	}
	now := time.Now()
	fromDir.unset(fromBase, now)
	toDir.set(toBase, n, now)
	return nil
}

// replaceable says whether a rename may put n in the place of old.
func replaceable(old, n *node) error {
	switch {
	case old.isDir() && !n.isDir():
		return syscall.EEXIST // as os.Rename has it; the system says EISDIR
	case !old.isDir() && n.isDir():
		return syscall.ENOTDIR
	case len(old.entries) > 0:
		return syscall.ENOTEMPTY
	}
	return nil
}

// contains reports whether dir is n or below it.
func (n *node) contains(dir *node) bool {
	if n == dir {
		return true
	}
	for _, child := range n.entries {
		if child.isDir() && child.contains(dir) {
			return true
		}
	}
	return false
}
