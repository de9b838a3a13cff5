package mailparts

import (
	"context"
	"errors"
)

// VanishedLister returns every UID expunged after since, perhaps others below
// UIDNext, and never one that exists: a store whose memory does not reach back
// to since returns all UIDs that do not exist.
type VanishedLister interface {
	Vanished(ctx context.Context, since ModSeq) (UIDSet, error)
}

// Vanished asks mb, or returns all UIDs below UIDNext that do not exist.
func Vanished(ctx context.Context, mb Mailbox, since ModSeq) (UIDSet, error) {
	if v, ok := mb.(VanishedLister); ok {
		if s, err := v.Vanished(ctx, since); !errors.Is(err, errors.ErrUnsupported) {
			return s, err
		}
	}
	st, err := mb.Status(ctx) // before Messages: what comes later is not counted
	if err != nil {
		return nil, err
	}
	var gone, have UIDSet
	gone.Add(1, st.UIDNext-1)
	for m, err := range mb.Messages(ctx, gone, Query{}) {
		if err != nil {
			return nil, err
		}
		have.Add(m.UID, m.UID)
	}
	return gone.Subtract(have), nil
}
