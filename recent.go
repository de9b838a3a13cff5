package mailparts

import "context"

// RecentClaimer returns FirstRecent to the newest UID, each UID to one caller
// only, who shows it as \Recent. SELECT calls it; EXAMINE and STATUS never do.
type RecentClaimer interface {
	ClaimRecent(ctx context.Context) (UIDRange, error)
}
