package mailparts

import (
	"context"
	"iter"
)

// UIDLer yields the POP3 unique-ids that an earlier server gave out; pop3
// makes the others from UIDVALIDITY and UID.
type UIDLer interface {
	UIDLs(ctx context.Context) iter.Seq2[UID, string]
}
