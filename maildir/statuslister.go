package maildir

import (
	"context"
	"errors"
	"iter"
	"path/filepath"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// ListStatus reads of each mailbox that has not changed the head of its index, and
// opens the others.
func (s *store) ListStatus(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		for info, err := range s.List(ctx) {
			if err == nil && !info.NoSelect {
				info, err = s.withStatus(ctx, info)
			}
			if errors.Is(err, mailparts.ErrNoMailbox) { // it was there a moment ago
				continue
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

func (s *store) withStatus(ctx context.Context, info mailparts.MailboxInfo) (mailparts.MailboxInfo, error) {
	folder, err := s.folderOf(info.Name)
	if err != nil {
		return info, err
	}
	if st, ok := s.peekStatus(filepath.Join(s.root, folder), info.ID); ok {
		info.Status = &st
		return info, nil
	}
	mb, err := s.Mailbox(ctx, info.Name)
	if err != nil {
		return info, err
	}
	st, err := mb.Status(ctx)
	info.Status, info.ID = &st, st.ID
	return info, err
}

// peekStatus is the status of the mailbox at dir by what is known of it, or by what
// its index says, if that is all there is to know.
func (s *store) peekStatus(dir, guid string) (st mailparts.Status, ok bool) {
	x := s.backend.boxAt(dir)
	if x == nil {
		x = &box{Backend: s.backend, identity: identity{guid: guid}, root: s.root, dir: dir}
		ix := index.New(x.fsys, x.indexPath(dir))
		if ix.Peek() != nil || ix.Boot == 0 || ix.Boot != x.bootSum() {
			return st, false
		}
		x.validity, x.ix, x.known, x.fresh = ix.Validity, ix, true, true
		x.recallHead()
		if err := x.readKeywordsOf(dir); err != nil {
			return st, false
		}
	}
	current, err := x.isCurrent(needHead)
	if !current || err != nil || guid == "" || x.guid != guid {
		return st, false
	}
	return x.status(), true
}

// boxAt returns the box of who has the mailbox at dir open, or nil.
func (b *Backend) boxAt(dir string) *box {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.boxes[dir].Value(); x != nil && x.path() == dir {
		return x
	}
	return nil
}
