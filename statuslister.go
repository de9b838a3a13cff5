package mailparts

import (
	"context"
	"iter"
)

// StatusLister is List with every Status filled in, at about the cost of List.
type StatusLister interface {
	ListStatus(ctx context.Context) iter.Seq2[MailboxInfo, error]
}
