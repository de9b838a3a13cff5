package mailparts

import (
	"context"
	"iter"
)

// Cacher keeps opaque bytes per message for WantDerived. It may drop any at
// any time, keeps the last of several, and never gives one to another message.
type Cacher interface {
	Cache(ctx context.Context, derived iter.Seq2[UID, []byte]) error
}
