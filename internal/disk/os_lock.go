//go:build unix

package disk

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Flock implements File.
func (f osFile) Flock(m LockMode) error {
	how := [...]int{Unlocked: unix.LOCK_UN, Shared: unix.LOCK_SH, Exclusive: unix.LOCK_EX}[m]
	return lockError("flock", f.Name(), eintr(func() error { return unix.Flock(int(f.Fd()), how|unix.LOCK_NB) }))
}

// Fcntl implements File.
func (f osFile) Fcntl(m LockMode) error {
	l := unix.Flock_t{Type: [...]int16{Unlocked: unix.F_UNLCK, Shared: unix.F_RDLCK, Exclusive: unix.F_WRLCK}[m]}
	return lockError("fcntl", f.Name(), eintr(func() error { return unix.FcntlFlock(f.Fd(), setLock, &l) }))
}

func lockError(op, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EACCES): // POSIX lets fcntl say either
		return ErrLocked
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func eintr(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
