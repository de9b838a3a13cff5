package mbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/dotlock"
)

// LockMethod is a way to lock a file that others know too.
type LockMethod uint8

const (
	// Fcntl is the lock of fcntl(2) on all of the file. On Linux it is one of the
	// open file, which excludes the usual one of a process; on other systems it is
	// one of the process, so that it keeps nobody in this process out.
	Fcntl LockMethod = iota + 1
	// Dotlock is a file beside it whose name has ".lock" at its end.
	Dotlock
	// Flock is the lock of flock(2). Over NFS Linux makes it an Fcntl lock, so that
	// one who takes both there waits for himself.
	Flock
)

// Locks says how a file is locked, to read it and to change it. Who changes it has
// all locks, and who reads it shares those that can be shared: Dotlock is for
// readers only if there is no other.
//
// The locks are tried in their order. If one is taken, those before it are given
// back before the next try, so that who takes them in another order is never kept
// waiting for ever.
type Locks struct {
	// Methods are those to take, in this order. Empty: Fcntl and then Dotlock, as
	// Debian's policy wants it of all mail programs and as Dovecot, mutt and
	// procmail are set up there; Flock and then Dotlock on systems other than Linux,
	// where a lock by Flock excludes those by Fcntl.
	//
	// Where nobody may make a file beside it, as in many a /var/mail, Dotlock is
	// left out, unless it is the only one.
	Methods []LockMethod
	// Timeout is how long to wait for all of them. Zero: 150 seconds.
	Timeout time.Duration
	// Stale is when a Dotlock is left behind, if neither it nor the file has
	// changed meanwhile; it is at once if its process is gone from this machine.
	// Ours changes as long as it is held. Zero: two minutes, as for Dovecot.
	Stale time.Duration
}

// locker locks files as Locks says.
type locker struct {
	Locks
	fsys disk.FS
	log  *slog.Logger
	dots dotlock.Maker
}

// dotMode lets all see whose lock it is.
const dotMode = 0o644

func newLocker(l Locks, fsys disk.FS, log *slog.Logger) (*locker, error) {
	if len(l.Methods) == 0 {
		l.Methods = []LockMethod{Fcntl, Dotlock}
		if runtime.GOOS != "linux" {
			l.Methods[0] = Flock
		}
	}
	for _, m := range l.Methods {
		if m < Fcntl || m > Flock {
			return nil, fmt.Errorf("mbox: no such method of locking: %d", m)
		}
	}
	if l.Timeout == 0 {
		l.Timeout = 150 * time.Second
	}
	if l.Stale == 0 {
		l.Stale = dotlock.Stale
	}
	host, err := os.Hostname()
	dots := dotlock.Maker{FS: fsys, Host: host, Log: log, Mode: dotMode, Stale: l.Stale}
	return &locker{Locks: l, fsys: fsys, log: log, dots: dots}, err
}

// open opens a file and locks it: shared if flag is for reading only. It has the name
// once it is locked. While others hold the locks open waits, until ctx is done or the
// time is out: mailparts.ErrLocked.
func (l *locker) open(ctx context.Context, name string, flag int, perm fs.FileMode) (*lock, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	var k *lock
	err := disk.Poll(ctx, func() (err error) {
		k, err = l.try(name, flag, perm)
		return err
	})
	if err != nil && errors.Is(err, ctx.Err()) {
		return nil, fmt.Errorf("%s: %w: %w", name, mailparts.ErrLocked, err)
	}
	return k, err
}

// try is open, or disk.ErrLocked.
func (l *locker) try(name string, flag int, perm fs.FileMode) (*lock, error) {
	f, err := l.fsys.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	k := &lock{File: f}
	mode := disk.Exclusive
	if flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		mode = disk.Shared
	}
	err = l.take(k, name, mode)
	if err == nil {
		err = l.isStill(k, name)
	}
	if err != nil {
		k.unlock()
		return nil, err
	}
	if k.dot != nil {
		k.mu.Lock()
		k.touch = time.AfterFunc(l.Stale/4, func() { k.keep(l.Stale / 4) })
		k.mu.Unlock()
	}
	return k, nil
}

// take takes all locks, or an error.
func (l *locker) take(k *lock, name string, mode disk.LockMode) (err error) {
	kernel := false
	for _, method := range l.Methods {
		switch method {
		case Fcntl:
			err = k.Fcntl(mode)
			kernel = true
		case Flock:
			err = k.Flock(mode)
			kernel = true
		case Dotlock:
			if mode == disk.Shared && len(l.Methods) > 1 {
				continue
			}
			k.dot, err = l.dots.Try(name, kernel)
			if isForbidden(err) && len(l.Methods) > 1 {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isForbidden is for a folder where we may make no file.
func isForbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// isStill says disk.ErrLocked, to try again, if another file has the name by now: a
// lock on what it was excludes nobody.
func (l *locker) isStill(k *lock, name string) error {
	open, err := k.Stat()
	if err != nil {
		return err
	}
	named, err := l.fsys.Stat(name)
	if err == nil && !disk.SameFile(open, named) || errors.Is(err, fs.ErrNotExist) {
		return disk.ErrLocked
	}
	return err
}

// lock is a file that is open and locked. unlock closes it, not Close.
type lock struct {
	disk.File
	dot *dotlock.Lock // nil: none

	mu    sync.Mutex
	touch *time.Timer
	done  bool
}

// keep touches the dotlock, now and again.
func (k *lock) keep(every time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.done && k.dot.Touch() == nil {
		k.touch.Reset(every)
	}
}

// check returns an error if the lock was lost: another has taken us for dead. Who
// rewrites a file asks before the first octet.
func (k *lock) check() error {
	if k.dot == nil {
		return nil
	}
	return k.dot.Check()
}

// unlock gives the locks back, the last one first, and closes the file.
func (k *lock) unlock() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return fs.ErrClosed
	}
	k.done = true
	if k.touch != nil {
		k.touch.Stop()
	}
	var err error
	if k.dot != nil {
		err = k.dot.Unlock()
	}
	return errors.Join(err, k.File.Close())
}
