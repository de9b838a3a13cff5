package pop3

import (
	"context"
	"errors"
	"sync"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// lock gives the session the maildrop for itself (RFC 1939 section 4): by the
// mailbox's own lock, which other processes heed, or else among the sessions of
// this Server.
func (s *session) lock(user string, mb mailparts.Mailbox) (unlock func() error, err error) {
	ctx := s.ctx
	if wait := serve.Limit(s.srv.LockTimeout, defaultLockTimeout); wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	if unlock, err = mailparts.Lock(ctx, mb); !errors.Is(err, errors.ErrUnsupported) {
		return unlock, err
	}
	return s.srv.locks.lock(ctx, user)
}

// locks are maildrops in use, by user.
type locks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when it is free again
}

// lock waits until ctx is done, then answers ErrLocked.
func (l *locks) lock(ctx context.Context, user string) (unlock func() error, err error) {
	for {
		busy := l.try(user)
		if busy == nil {
			return func() error { l.unlock(user); return nil }, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, mailparts.ErrLocked
		}
	}
}

// try takes the lock, or returns what closes when it is worth another try.
func (l *locks) try(user string) (busy <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.held[user]; ok {
		return c
	}
	if l.held == nil {
		l.held = map[string]chan struct{}{}
	}
	l.held[user] = make(chan struct{})
	return nil
}

func (l *locks) unlock(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.held[user])
	delete(l.held, user)
}
