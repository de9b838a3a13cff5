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
		places, err := s.places(ctx)
		if err != nil {
			yield(mailparts.MailboxInfo{}, err)
			return
		}
		for _, p := range places {
			info := mailparts.MailboxInfo{Name: p.name, NoSelect: !p.isMailbox}
			var err error
			if p.isMailbox {
				err = s.addStatus(ctx, &info, filepath.Join(s.root, p.path))
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

func (s *store) addStatus(ctx context.Context, info *mailparts.MailboxInfo, dir string) error {
	info.Use = s.backend.usesIn(dir)
	st, ok := s.peekStatus(dir)
	if !ok {
		mb, err := s.Mailbox(ctx, info.Name)
		if err != nil {
			return err
		}
		if st, err = mb.Status(ctx); err != nil {
			return err
		}
	}
	info.Status, info.ID = &st, st.ID
	return ctx.Err()
}

// peekStatus is the status of the mailbox at dir by what is known of it, or by what
// its index says, if that is all there is to know.
func (s *store) peekStatus(dir string) (st mailparts.Status, ok bool) {
	b := s.backend
	x := b.boxAt(dir)
	if x == nil {
		x = &box{Backend: b, root: s.root, dir: dir}
		if b.Index != "" { // where it is depends on the GUID
			head, err := b.readHeader(dir)
			if err != nil {
				return st, false
			}
			x.guid = head.guid()
		}
		ix := index.New(b.fsys, x.indexPath(dir))
		if ix.Peek() != nil || ix.Boot == 0 || ix.Boot != x.bootSum() || ix.GUID == [2]uint64{} {
			return st, false
		}
		x.validity, x.guid = ix.Validity, unpackGUID(ix.GUID)
		x.ix, x.known, x.fresh = ix, true, true
		x.recallHead()
		if err := x.readKeywordsOf(dir); err != nil {
			return st, false
		}
	}
	current, err := x.isCurrent(needHead)
	if !current || err != nil {
		return st, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.status(), x.known
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
