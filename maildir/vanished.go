package maildir

import (
	"context"
	"errors"

	"github.com/mailparts/mailparts"
)

// Vanished is exact for as long as the index remembers, and says all UIDs that do
// not exist for what was before.
func (m *mailbox) Vanished(ctx context.Context, since mailparts.ModSeq) (mailparts.UIDSet, error) {
	if err := m.hold(ctx, needEntries); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if m.unsaved || uint64(since) < m.ix.Forgotten {
		return nil, errors.ErrUnsupported // mailparts.Vanished then asks for all that exist
	}
	var gone mailparts.UIDSet
	for _, t := range m.ix.Gone {
		if t.ModSeq > uint64(since) {
			for _, r := range t.UIDs {
				gone.Add(r.First, r.Last)
			}
		}
	}
	return gone, nil
}
