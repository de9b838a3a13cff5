package mailparts

import "context"

// Subscriber keeps a set of names; they need not exist, and Delete and Rename
// leave it alone.
type Subscriber interface {
	Subscribed(ctx context.Context) ([]string, error)
	Subscribe(ctx context.Context, name string, on bool) error
}
