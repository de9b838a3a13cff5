package mailparts

import (
	"context"
	"errors"
	"slices"
)

// Outline is what SELECT must know of a mailbox, at one moment.
type Outline struct {
	Status
	UIDs        UIDSet // of all messages
	FirstUnseen UID    // the lowest UID without \Seen; zero: there is none
}

// Outliner tells a mailbox's Outline at less than the cost of listing it.
type Outliner interface {
	// Outline returns what the caller may change.
	Outline(ctx context.Context) (Outline, error)
}

// OutlineOf asks mb, or asks for its Status and lists its messages.
func OutlineOf(ctx context.Context, mb Mailbox) (o Outline, err error) {
	if l, ok := mb.(Outliner); ok {
		if o, err = l.Outline(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return o, err
		}
	}
	o = Outline{}
	if o.Status, err = mb.Status(ctx); err != nil || o.UIDNext <= 1 {
		return o, err
	}
	for m, err := range mb.Messages(ctx, UIDSet{{First: 1, Last: o.UIDNext - 1}}, Query{}) {
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
