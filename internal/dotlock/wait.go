package dotlock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// patience is how long to wait for a lock that is held for the length of an
// operation only. It is longer than Stale.
const patience = Stale + 30*time.Second

// Wait is disk.Poll for a lock of any kind that should be free soon: ErrLocked of
// package mailparts, and the name, if it is not.
func Wait(ctx context.Context, name string, try func() error) error {
	deadline := time.Now().Add(patience)
	return disk.Poll(ctx, func() error {
		err := try()
		if errors.Is(err, disk.ErrLocked) && time.Now().After(deadline) {
			return fmt.Errorf("%s: %w", name, mailparts.ErrLocked)
		}
		return err
	})
}

// Wait makes the file name.lock once it can. The caller holds a lock of the kernel
// that every other user of name in this process takes first: see Try.
func (m *Maker) Wait(ctx context.Context, name string) (lock *Lock, err error) {
	err = Wait(ctx, name+".lock", func() error {
		lock, err = m.Try(name, true)
		return err
	})
	return lock, err
}
