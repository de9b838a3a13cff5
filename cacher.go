package mailparts

import (
	"context"
	"errors"
	"iter"
)

// Cacher keeps opaque bytes per message for WantDerived. It may drop any at
// any time, keeps the last of several, and never gives one to another message.
type Cacher interface {
	Cache(ctx context.Context, derived iter.Seq2[UID, []byte]) error
}

// Cache has mb keep what is derived, or asks for none of it.
func Cache(ctx context.Context, mb Mailbox, derived iter.Seq2[UID, []byte]) error {
	if c, ok := mb.(Cacher); ok {
		if err := c.Cache(ctx, derived); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return nil
}
