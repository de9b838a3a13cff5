// Package disk is every file operation that queue and maildir make, as one small
// interface: OS is the real one, and disktest has one that fails or crashes at
// any of them and drops all that was not synced.
//
// The rules of durability that both are written to:
//   - What a File holds is on stable storage after Sync, or after Datasync if its
//     size was allocated and synced before or grew (fdatasync writes the size too).
//   - A name (created, linked, renamed or removed) is on stable storage after
//     SyncDir of its folder, and may be there or not before that.
package disk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// ErrLocked is Lock's answer while another holds the lock.
var ErrLocked = errors.New("locked by another process")

// Poll calls try until it answers something else than ErrLocked, or ctx is done. The
// pauses grow from a millisecond to a tenth of a second.
func Poll(ctx context.Context, try func() error) error {
	pause := time.Millisecond
	for {
		err := try()
		if !errors.Is(err, ErrLocked) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause = min(2*pause, 100*time.Millisecond)
	}
}

// FS is a file system. Names are paths as package os takes them, and errors
// match the io/fs sentinels and the syscall.Errno values (ENOSPC, EDQUOT, …).
type FS interface {
	// OpenFile is os.OpenFile.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	Stat(name string) (fs.FileInfo, error)
	// Lstat is Stat, but of a symbolic link itself where it stands for a file.
	Lstat(name string) (fs.FileInfo, error)
	// ReadDir returns the names in a folder, in no order, without "." and "..".
	ReadDir(name string) ([]string, error)
	Mkdir(name string, perm fs.FileMode) error
	Rename(from, to string) error
	Link(from, to string) error
	Remove(name string) error // a file or an empty folder
	SyncDir(name string) error
	// Chtimes sets the modification time. A Sync of the file, not a Datasync,
	// makes it durable.
	Chtimes(name string, mtime time.Time) error
	// Lock takes the lock that is the file name, made if need be, or returns
	// ErrLocked at once. It excludes other processes and other callers in this
	// one. Close releases it, and so does the end of the process.
	Lock(name string) (io.Closer, error)
	// Boot names this run of the machine, or is "" if it has no name. What an
	// earlier process wrote under the same name cannot have been lost since.
	Boot() string
}

// IsFull reports whether err is for want of room, on the disk or of the user's share.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// SameFile is os.SameFile for what an FS returned.
func SameFile(a, b fs.FileInfo) bool {
	if s, ok := a.(interface{ Same(fs.FileInfo) bool }); ok {
		return s.Same(b)
	}
	return os.SameFile(a, b)
}

// Inode is the number of a file in its file system, for what an FS returned.
func Inode(fi fs.FileInfo) uint64 {
	if i, ok := fi.(interface{ Inode() uint64 }); ok {
		return i.Inode()
	}
	return fi.Sys().(*syscall.Stat_t).Ino
}

// HasFolders reports whether a folder may have folders in it. Most file systems count in a
// folder's links the ".." of each that it has.
func HasFolders(fi fs.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return !ok || st.Nlink != 2
}

// File is an open file.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Seeker
	io.Closer
	Name() string
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	// Allocate makes the file at least size octets long, zeros at its end, with
	// the blocks reserved where the file system can, so that a Datasync of what
	// is written there need not change the file's metadata.
	Allocate(size int64) error
	Sync() error     // fsync
	Datasync() error // fdatasync

	// Fcntl and Flock change the lock of their kind that this open file has on
	// all of the file, or return ErrLocked at once and leave it as it was. Close
	// and the end of the process release it. The two kinds know nothing of each
	// other, but on NFS, where Linux makes an fcntl lock of every flock.
	//
	// An fcntl lock needs a file that is open for reading if it is Shared, and for
	// writing if it is Exclusive. On Linux it is of the open file (F_OFD_SETLK). On
	// other systems it is of the process: it excludes nobody in this one, and is
	// gone as soon as this process closes any file that it has open of the same.
	Fcntl(LockMode) error
	Flock(LockMode) error
}

// LockMode says whom a lock excludes.
type LockMode uint8

const (
	Unlocked  LockMode = iota // excludes nobody
	Shared                    // excludes who wants it Exclusive
	Exclusive                 // excludes all others
)

// MkdirAll makes name and its parents durable: each folder that it makes is
// synced into the one above it, or removed again if that fails.
func MkdirAll(fsys FS, name string, perm fs.FileMode) error {
	switch fi, err := fsys.Stat(name); {
	case err == nil && !fi.IsDir():
		return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := dir(name)
	if parent != name {
		if err := MkdirAll(fsys, parent, perm); err != nil {
			return err
		}
	}
	if err := fsys.Mkdir(name, perm); err != nil {
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		return fsys.SyncDir(parent)
	}
	err := fsys.SyncDir(parent)
	if err != nil {
		fsys.Remove(name) // the next one must not take it for durable
	}
	return err
}

// ReadFile returns the whole content of name.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, readOnly, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// RenameFile is fsys.Rename of what is surely no folder, which can be done in two thirds
// of the time.
func RenameFile(fsys FS, from, to string) error {
	if r, ok := fsys.(interface{ RenameFile(from, to string) error }); ok {
		return r.RenameFile(from, to)
	}
	return fsys.Rename(from, to)
}

// WriteFile replaces name by data, wholly or not at all, durably: a temporary
// file beside it, name.tmp, is written, synced and renamed over it, and the folder
// synced. The mode is perm before the umask, whatever name had. The caller sees to
// it that no two run for one name at once.
func WriteFile(fsys FS, name string, data []byte, perm fs.FileMode) error {
	tmp := name + ".tmp"
	// What a crash left would keep its own mode.
	if err := fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := fsys.OpenFile(tmp, writeNew, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = RenameFile(fsys, tmp, name)
	}
	if err != nil {
		fsys.Remove(tmp)
		return err
	}
	return fsys.SyncDir(dir(name))
}
