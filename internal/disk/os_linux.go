package disk

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// open is os.OpenFile without the five system calls by which that asks whether the
// file can be polled, which none of ours can. The perm has no bits but those of
// permissions.
func open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	fd := -1
	err := eintr(func() (err error) {
		fd, err = unix.Open(name, flag|unix.O_CLOEXEC, uint32(perm.Perm()))
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// RenameFile is os.Rename without the look at what has the name to already, by which
// that keeps a folder from taking the place of another.
func (OS) RenameFile(from, to string) error {
	if err := eintr(func() error { return unix.Rename(from, to) }); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// Boot implements FS.
func (OS) Boot() string { return boot() }

// boot is read once: it outlives the process.
var boot = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
})

// setLock is for locks of the open file, whole whatever else the process closes.
const setLock = unix.F_OFD_SETLK

// Allocate implements File by fallocate.
func (f osFile) Allocate(size int64) error {
	err := eintr(func() error { return unix.Fallocate(int(f.Fd()), 0, 0, size) })
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return grow(f.File, size)
	}
	return err
}

// Datasync implements File.
func (f osFile) Datasync() error {
	return eintr(func() error { return unix.Fdatasync(int(f.Fd())) })
}
