package mailparts

import "context"

// Quotaer reports the quota roots of a mailbox (RFC 9208).
type Quotaer interface {
	Quota(ctx context.Context, name string) ([]Quota, error)
}

// Quota is one resource of one root. STORAGE is in octets here.
type Quota struct {
	Root, Resource string
	Used, Limit    int64
}
