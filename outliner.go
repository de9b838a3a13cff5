package mailparts

import (
	"context"
	"errors"
	"slices"
)

// Outline is what SELECT must know of all messages of a mailbox.
type Outline struct {
	UIDs        UIDSet // of the messages that exist
	FirstUnseen UID    // the lowest UID without \Seen; zero: there is none
}

// Outliner tells a mailbox's Outline at less than the cost of listing it.
type Outliner interface {
	// Outline is of one moment. The caller may change what it returns.
	Outline(ctx context.Context) (Outline, error)
}

// OutlineOf asks mb, or lists its messages.
func OutlineOf(ctx context.Context, mb Mailbox) (o Outline, err error) {
	if l, ok := mb.(Outliner); ok {
		if o, err = l.Outline(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return o, err
		}
	}
	o = Outline{}
	for m, err := range mb.Messages(ctx, AllUIDs(), Query{}) {
		if err != nil {
			return Outline{}, err
		}
		o.UIDs.Add(m.UID, m.UID)
		if o.FirstUnseen == 0 && !slices.Contains(m.Flags, FlagSeen) {
			o.FirstUnseen = m.UID
		}
	}
	return o, nil
}
