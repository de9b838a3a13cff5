//go:build unix && !linux

package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Boot implements FS.
func (OS) Boot() string { return "" }

func flock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// Allocate implements File.
func (f osFile) Allocate(size int64) error { return grow(f.File, size) }

// Datasync implements File.
func (f osFile) Datasync() error { return f.Sync() }
