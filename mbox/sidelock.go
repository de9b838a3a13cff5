package mbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/dotlock"
)

// patience is how long to wait for a lock that is held for the length of an
// operation only. It is longer than a dotlock may be left behind.
const patience = 150 * time.Second

// pollBriefly is disk.Poll for what should be free soon: ErrLocked if it is not.
func pollBriefly(ctx context.Context, name string, try func() error) error {
	deadline := time.Now().Add(patience)
	return disk.Poll(ctx, func() error {
		err := try()
		if errors.Is(err, disk.ErrLocked) && time.Now().After(deadline) {
			return fmt.Errorf("%s: %w", name, mailparts.ErrLocked)
		}
		return err
	})
}

// lockFile takes the kernel's lock on a file beside the mail.
func (b *Backend) lockFile(ctx context.Context, name string) (lock io.Closer, err error) {
	err = pollBriefly(ctx, name, func() error {
		lock, err = b.fsys.Lock(name)
		return err
	})
	return lock, err
}

// dotlock makes the file name.lock, as Dovecot does. The caller holds a lock of the
// kernel that every other user of our kind takes first.
func (b *Backend) dotlock(ctx context.Context, name string) (unlock func(), err error) {
	var lock *dotlock.Lock
	err = pollBriefly(ctx, name, func() error {
		lock, err = b.locks.dots.Try(name, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	return func() { lock.Unlock() }, nil
}
