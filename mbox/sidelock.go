package mbox

import (
	"context"
	"io"

	"github.com/mailparts/mailparts/internal/dotlock"
)

// lockFile takes the kernel's lock on a file beside the mail.
func (b *Backend) lockFile(ctx context.Context, name string) (lock io.Closer, err error) {
	err = dotlock.Wait(ctx, name, func() error {
		lock, err = b.fsys.Lock(name)
		return err
	})
	return lock, err
}

// dotlock makes the file name.lock, as Dovecot does. The caller holds a lock of the
// kernel that every other user of our kind takes first.
func (b *Backend) dotlock(ctx context.Context, name string) (unlock func(), err error) {
	lock, err := b.locks.dots.Wait(ctx, name)
	if err != nil {
		return nil, err
	}
	return func() { lock.Unlock() }, nil
}
