package maildir

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts/internal/dotlock"
)

// Locks are of two kinds. Those of the kernel exclude our own kind in any process
// and go with the process. A dotlock, held together with one of the first and for
// as long as a uidlist or the subscriptions change, excludes Dovecot.
const (
	changeLock   = "mailparts.lock"             // in a mailbox: who changes it
	sessionLock  = "mailparts-session.lock"     // in a mailbox: mailparts.Locker
	namesLock    = "mailparts-names.lock"       // in a tree: who changes the set of mailboxes
	validityLock = "mailparts-uidvalidity.lock" // in a tree: who takes a UIDVALIDITY
	quotaLock    = "mailparts-quota.lock"       // in a tree: who changes or counts what its quota counts
)

// lockFile takes the kernel's lock on a file.
func (b *Backend) lockFile(ctx context.Context, name string) (lock io.Closer, err error) {
	err = dotlock.Wait(ctx, name, func() error {
		lock, err = b.fsys.Lock(name)
		return err
	})
	return lock, err
}

// emptyAfter is when a dotlock without a process ID is left over: that is written at
// once after the file was made, and lost in a crash.
const emptyAfter = 10 * time.Second

func (b *Backend) dotlocks() *dotlock.Maker {
	return &dotlock.Maker{FS: b.fsys, Host: b.machine, Log: b.log, Mode: fileMode, Empty: emptyAfter}
}

// dotlock makes the file name.lock, as Dovecot does. The caller holds a kernel
// lock that every other user of our kind takes first: of the file held, if it is not
// empty, which is then the lock's other name.
func (b *Backend) dotlock(ctx context.Context, name, held string) (unlock func(), err error) {
	m := b.dotlocks()
	m.Of = held
	lock, err := m.Wait(ctx, name)
	if err != nil {
		return nil, err
	}
	return func() { lock.Unlock() }, nil
}

// lockList takes the dotlock of the mailbox's uidlist, if the caller, who holds the
// box's lock, does not have it already.
func (b *box) lockList(ctx context.Context) (unlock func(), err error) {
	if b.listLocked {
		return func() {}, nil
	}
	dir := b.path()
	release, err := b.dotlock(ctx, filepath.Join(dir, listName), filepath.Join(dir, changeLock))
	if err != nil {
		return nil, err
	}
	b.listLocked = true
	return func() {
		b.listLocked = false
		release()
	}, nil
}
