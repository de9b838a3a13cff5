package mailparts

import (
	"context"
	"errors"
)

// Locker waits until ctx is done, then answers ErrLocked. It excludes other
// holders in any process and nobody else; a crash releases it.
type Locker interface {
	Lock(ctx context.Context) (unlock func() error, err error)
}

// Lock has mb do it, or answers ErrUnsupported: then the caller excludes whom it
// can, as pop3 does its own sessions.
func Lock(ctx context.Context, mb Mailbox) (unlock func() error, err error) {
	if l, ok := mb.(Locker); ok {
		return l.Lock(ctx)
	}
	return nil, errors.ErrUnsupported
}
