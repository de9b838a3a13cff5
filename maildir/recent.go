package maildir

import (
	"context"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// ClaimRecent moves what it claims from new/ to cur/, as every reader of a Maildir
// does: what is in new/ is what nobody has seen. It is durable when the system
// likes: a crash may make messages recent again.
func (m *mailbox) ClaimRecent(ctx context.Context) (mailparts.UIDRange, error) {
	if nothing, err := m.noneRecent(ctx); nothing || err != nil {
		return mailparts.UIDRange{}, quota(err)
	}
	var claimed mailparts.UIDRange
	err := m.change(ctx, func(dir string) (again bool, err error) {
		first, next := m.ix.FirstRecent, m.ix.Next
		if again, err = m.leaveNew(dir, m.pick(mailparts.AllUIDs(), func(e *entry) bool { return e.Shelf == newShelf })); again || err != nil {
			return again, err
		}
		if uint64(first) >= next {
			return false, nil
		}
		claimed = mailparts.UIDRange{First: mailparts.UID(max(first, 1)), Last: mailparts.UID(next - 1)}
		h := m.ix.Head
		h.FirstRecent = uint32(next)
		m.commit(h, index.Change{}, false)
		return false, nil
	})
	return claimed, quota(err)
}

// noneRecent reports whether there is nothing to claim, and nothing in new/.
func (m *mailbox) noneRecent(ctx context.Context) (bool, error) {
	if err := m.hold(ctx, needEntries); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	return uint64(m.ix.FirstRecent) >= m.ix.Next && !m.outlined().inNew, nil
}
