package maildir

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// Lock is the kernel's lock on a file, and so goes with the process. It takes a
// free lock even if ctx is done.
func (m *mailbox) Lock(ctx context.Context) (unlock func() error, err error) {
	var lock io.Closer
	err = m.try(func(dir string) error {
		err := disk.Poll(ctx, func() (err error) {
			lock, err = m.fsys.Lock(filepath.Join(dir, sessionLock))
			return err
		})
		if err != nil {
			return err
		}
		if err = m.check(dir); err != nil {
			lock.Close()
		}
		return err
	})
	if err != nil && errors.Is(err, ctx.Err()) {
		return nil, mailparts.ErrLocked
	}
	if err != nil {
		return nil, quota(err)
	}
	return sync.OnceValue(lock.Close), nil
}
