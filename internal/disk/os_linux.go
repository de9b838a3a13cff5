package disk

import (
	"errors"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

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
