package maildir

import (
	"context"
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// outline is a mailbox's Outline as its index had it at one moment. Whatever changes it
// has a mod-sequence of its own.
type outline struct {
	mailparts.Outline
	ix *index.State
	at uint64
}

// Outline costs three stats if nothing has changed since it was asked for, and otherwise a
// walk over the messages, which the index has in memory.
func (m *mailbox) Outline(ctx context.Context) (mailparts.Outline, error) {
	if err := m.hold(ctx, needEntries); err != nil {
		return mailparts.Outline{}, err
	}
	defer m.mu.Unlock()
	o := &m.outline
	if m.unsaved || o.ix != m.ix || o.at != m.ix.HighestModSeq {
		*o = outline{outlineOf(m.ix.Entries), m.ix, m.ix.HighestModSeq}
	}
	return mailparts.Outline{UIDs: slices.Clone(o.UIDs), FirstUnseen: o.FirstUnseen}, nil
}

func outlineOf(entries []entry) (o mailparts.Outline) {
	for i := 0; i < len(entries); {
		first := i
		for i++; i < len(entries) && entries[i].UID == entries[i-1].UID+1; i++ {
		}
		o.UIDs = append(o.UIDs, mailparts.UIDRange{First: mailparts.UID(entries[first].UID), Last: mailparts.UID(entries[i-1].UID)})
	}
	if i := slices.IndexFunc(entries, func(e entry) bool { return e.Flags&index.Seen == 0 }); i >= 0 {
		o.FirstUnseen = mailparts.UID(entries[i].UID)
	}
	return o
}
