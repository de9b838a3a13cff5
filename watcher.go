package mailparts

import (
	"context"
	"errors"
	"time"
)

// Watcher calls wake, which does not block and calls nothing of the store, at
// least once after any change following Watch's return, until ctx is done; more
// often does no harm, nor from several goroutines at once. A read made after
// wake sees the change. On a Store it covers all its mailboxes and names. It is
// level-triggered: who arms it, and then reads Status, Messages since and
// Vanished, in that order and again after each wake, misses nothing.
type Watcher interface {
	Watch(ctx context.Context, wake func()) error
}

// Watch has v, a Store or a Mailbox, call wake, or else calls it every so often
// itself, for the caller to look. The wake-ups that are not of a store end with
// ctx too.
func Watch(ctx context.Context, v any, every time.Duration, wake func()) error {
	if w, ok := v.(Watcher); ok {
		if err := w.Watch(ctx, wake); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	tick := time.NewTicker(every)
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				wake()
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}
