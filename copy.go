package mailparts

import (
	"context"
	"errors"
	"io"
)

// Copied pairs source and new UIDs in ascending order; sources that were gone
// are absent.
type Copied struct {
	From UIDSet
	To   Placed
}

// Copier copies all of uids or none, keeping Flags, Received and ID. It answers
// ErrUnsupported for a dst of another kind.
type Copier interface {
	Copy(ctx context.Context, uids UIDSet, dst Mailbox) (Copied, error)
}

// Copy copies by src's Copier or else through dst.Append, which is all or none.
func Copy(ctx context.Context, src Mailbox, uids UIDSet, dst Mailbox) (Copied, error) {
	if c, ok := src.(Copier); ok {
		if r, err := c.Copy(ctx, uids, dst); !errors.Is(err, errors.ErrUnsupported) {
			return r, err
		}
	}
	var from UIDSet
	to, err := dst.Append(ctx, func(yield func(Incoming, error) bool) {
		for m, err := range src.Messages(ctx, uids, Query{Want: WantSize | WantDates | WantIDs}) {
			var body io.ReadCloser
			if err == nil {
				body, err = src.Body(ctx, m.UID)
			}
			if errors.Is(err, ErrNoMessage) {
				continue
			}
			if err != nil {
				yield(Incoming{}, err)
				return
			}
			from.Add(m.UID, m.UID)
			more := yield(Incoming{Body: body, Size: m.Size, Flags: m.Flags, Received: m.Received, ID: m.ID}, nil)
			body.Close()
			if !more {
				return
			}
		}
	})
	if err != nil {
		return Copied{}, err
	}
	return Copied{From: from, To: to}, nil
}
