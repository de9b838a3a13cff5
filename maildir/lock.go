package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// Locks are of two kinds. Those of the kernel exclude our own kind in any process
// and go with the process. A dotlock, held together with one of the first and for
// as long as a uidlist or the subscriptions change, excludes Dovecot.
const (
	changeLock   = "mailparts.lock"             // in a mailbox: who changes it
	sessionLock  = "mailparts-session.lock"     // in a mailbox: mailparts.Locker
	namesLock    = "mailparts-names.lock"       // in a tree: who changes the set of mailboxes
	validityLock = "mailparts-uidvalidity.lock" // in a tree: who takes a UIDVALIDITY
)

// patience is how long to wait for a lock that is held for the length of an
// operation only. It is longer than staleAfter.
const patience = 150 * time.Second

// poll calls try until it answers something else than disk.ErrLocked, or ctx is
// done. The pauses grow from a millisecond to a tenth of a second.
func poll(ctx context.Context, try func() error) error {
	pause := time.Millisecond
	for {
		err := try()
		if !errors.Is(err, disk.ErrLocked) {
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

// pollBriefly is poll for what should be free soon: ErrLocked if it is not.
func pollBriefly(ctx context.Context, name string, try func() error) error {
	deadline := time.Now().Add(patience)
	return poll(ctx, func() error {
		err := try()
		if errors.Is(err, disk.ErrLocked) && time.Now().After(deadline) {
			return fmt.Errorf("%s: %w", name, mailparts.ErrLocked)
		}
		return err
	})
}

// lockFile takes the kernel's lock on a file.
func (b *Backend) lockFile(ctx context.Context, name string) (lock io.Closer, err error) {
	err = pollBriefly(ctx, name, func() error {
		lock, err = b.fsys.Lock(name)
		return err
	})
	return lock, err
}

const (
	// staleAfter is when a dotlock is left over, if neither it nor what it locks
	// has changed: Dovecot's rule.
	staleAfter = 2 * time.Minute
	// emptyAfter is that for one without a process ID, which is written at once
	// after the file was made and lost in a crash.
	emptyAfter = 10 * time.Second
)

// dotlock makes the file name.lock, as Dovecot does. The caller holds a kernel
// lock that every other user of our kind takes first.
func (b *Backend) dotlock(ctx context.Context, name string) (unlock func(), err error) {
	lock := name + ".lock"
	var made fs.FileInfo
	err = pollBriefly(ctx, lock, func() error {
		made, err = b.makeDotlock(lock)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if !b.isStale(lock, name) {
			return disk.ErrLocked
		}
		b.log.Warn("removed a lock that was left over", "lock", lock)
		if err := b.fsys.Remove(lock); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		made, err = b.makeDotlock(lock)
		if errors.Is(err, fs.ErrExist) {
			return disk.ErrLocked
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return func() {
		if fi, err := b.fsys.Stat(lock); err == nil && disk.SameFile(fi, made) {
			b.fsys.Remove(lock)
		}
	}, nil
}

// makeDotlock holds the lock once the file is made: that its content cannot be
// written, on a full disk, does no harm.
func (b *Backend) makeDotlock(lock string) (fs.FileInfo, error) {
	f, err := b.fsys.OpenFile(lock, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fmt.Fprintf(f, "%d:%s", os.Getpid(), b.machine)
	fi, err := f.Stat()
	if err != nil {
		b.fsys.Remove(lock)
	}
	return fi, err
}

// isStale says that who made a dotlock has left it behind. One with our own
// process ID is: the caller holds the kernel lock, and so nobody else in this
// process has it. Process IDs come again, in a container at every start.
func (b *Backend) isStale(lock, name string) bool {
	fi, err := b.fsys.Stat(lock)
	if err != nil {
		return false // just gone: try again
	}
	changed := fi.ModTime()
	content, err := disk.ReadFile(b.fsys, lock)
	if err != nil {
		return false
	}
	if len(content) == 0 {
		return time.Since(changed) > emptyAfter
	}
	pid, host, _ := strings.Cut(strings.TrimSpace(string(content)), ":")
	if n, err := strconv.Atoi(pid); err == nil && n > 0 && host == b.machine {
		if n == os.Getpid() || errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			return true
		}
	}
	if fi, err := b.fsys.Stat(name); err == nil && fi.ModTime().After(changed) {
		changed = fi.ModTime()
	}
	return time.Since(changed) > staleAfter
}
