package mailparts

import "context"

// Watcher calls wake, which does not block, at least once after any change
// following Watch's return, until ctx is done; more often does no harm. A read
// made after wake sees the change. On a Store it covers all its mailboxes and
// names.
type Watcher interface {
	Watch(ctx context.Context, wake func()) error
}
