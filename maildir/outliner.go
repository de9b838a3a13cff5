package maildir

import (
	"context"
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// outline is what a walk over an index has found. Whatever changes it that this process
// has not done itself has a mod-sequence of its own.
type outline struct {
	uids        mailparts.UIDSet
	firstUnseen mailparts.UID
	inNew       bool // some are in new/
	ix          *index.State
	at          uint64
}

// Outline costs three stats if nothing has changed since it was asked for, and otherwise a
// walk over the messages, which the index has in memory.
func (m *mailbox) Outline(ctx context.Context) (mailparts.Outline, error) {
	if err := m.hold(ctx, needEntries); err != nil {
		return mailparts.Outline{}, err
	}
	defer m.mu.Unlock()
	o := m.outlined()
	return mailparts.Outline{Status: m.status(), UIDs: slices.Clone(o.uids), FirstUnseen: o.firstUnseen}, nil
}

// outlined is the outline of now. The caller holds mu and has all entries.
func (b *box) outlined() *outline {
	o := &b.outline
	if b.unsaved || o.ix != b.ix || o.at != b.ix.HighestModSeq {
		*o = outlineOf(b.ix.Entries)
		o.ix, o.at = b.ix, b.ix.HighestModSeq
	}
	return o
}

func outlineOf(entries []entry) (o outline) {
	for i := 0; i < len(entries); {
		first := i
		for i++; i < len(entries) && entries[i].UID == entries[i-1].UID+1; i++ {
		}
		o.uids = append(o.uids, mailparts.UIDRange{First: mailparts.UID(entries[first].UID), Last: mailparts.UID(entries[i-1].UID)})
	}
	for i := range entries {
		e := &entries[i]
		if o.firstUnseen == 0 && e.Flags&index.Seen == 0 {
			o.firstUnseen = mailparts.UID(e.UID)
		}
		o.inNew = o.inNew || e.Shelf == newShelf
	}
	return o
}
