package mailparts

import (
	"context"
	"errors"
)

// RecentClaimer returns FirstRecent to the newest UID, each UID to one caller
// only, who shows it as \Recent. SELECT calls it; EXAMINE and STATUS never do.
type RecentClaimer interface {
	ClaimRecent(ctx context.Context) (UIDRange, error)
}

// ClaimRecent asks mb, or returns the zero UIDRange: nothing is recent.
func ClaimRecent(ctx context.Context, mb Mailbox) (UIDRange, error) {
	if c, ok := mb.(RecentClaimer); ok {
		if r, err := c.ClaimRecent(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return r, err
		}
	}
	return UIDRange{}, nil
}
