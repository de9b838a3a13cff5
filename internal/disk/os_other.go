//go:build unix && !linux

package disk

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

// Boot implements FS.
func (OS) Boot() string { return "" }

// setLock is for locks of the process.
const setLock = unix.F_SETLK

// Allocate implements File.
func (f osFile) Allocate(size int64) error { return grow(f.File, size) }

// Datasync implements File.
func (f osFile) Datasync() error { return f.Sync() }
