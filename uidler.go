package mailparts

import (
	"context"
	"errors"
	"iter"
)

// UIDL is the POP3 unique-id of a message (RFC 1939 section 7).
type UIDL struct {
	UID UID
	ID  string // 1 to 70 octets from 0x21 to 0x7E
}

// UIDLer yields the unique-ids that an earlier server gave out, in any order:
// only of messages that exist, each message once, each ID once. A message that
// has none, or one that the syntax does not allow, is left out. pop3 makes the
// others from UIDVALIDITY and UID. An error comes last.
type UIDLer interface {
	UIDLs(ctx context.Context) iter.Seq2[UIDL, error]
}

// UIDLs yields what mb has, or nothing: then pop3 makes all unique-ids.
func UIDLs(ctx context.Context, mb Mailbox) iter.Seq2[UIDL, error] {
	return func(yield func(UIDL, error) bool) {
		u, ok := mb.(UIDLer)
		if !ok {
			return
		}
		for id, err := range u.UIDLs(ctx) {
			if errors.Is(err, errors.ErrUnsupported) || !yield(id, err) {
				return
			}
		}
	}
}
