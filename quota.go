package mailparts

import (
	"context"
	"errors"
)

// Quotaer reports the quota of a mailbox (RFC 9208): a root is a set of
// mailboxes that share limits, named for people to read. A mailbox has any
// number of roots; mailboxes with a root of the same name in one Store share it.
type Quotaer interface {
	// Quota returns every resource of every root of the mailbox, those of one
	// root together. What has no limit is not there; ErrNoMailbox for a name
	// that no mailbox has, and Create could take.
	Quota(ctx context.Context, name string) ([]Quota, error)
}

// The resources that stores count (RFC 9208 section 5).
const (
	QuotaStorage = "STORAGE" // octets, by Message.Size or as they are on disk
	QuotaMessage = "MESSAGE" // messages
)

// Quota is one resource of one root. STORAGE is in octets here: imap counts
// kilobytes.
type Quota struct {
	Root, Resource string
	Used, Limit    int64 // Used may be above Limit, which may have been lowered
}

// QuotaOf asks s, or returns none.
func QuotaOf(ctx context.Context, s Store, name string) ([]Quota, error) {
	if q, ok := s.(Quotaer); ok {
		if all, err := q.Quota(ctx, name); !errors.Is(err, errors.ErrUnsupported) {
			return all, err
		}
	}
	return nil, nil
}
