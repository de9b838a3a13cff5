package mailparts

import "context"

// Locker waits until ctx is done, then answers ErrLocked. It excludes other
// holders in any process and nobody else; a crash releases it.
type Locker interface {
	Lock(ctx context.Context) (unlock func() error, err error)
}
