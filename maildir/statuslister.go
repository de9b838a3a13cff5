package maildir

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
		for some := range slices.Chunk(places, peekedAtOnce) {
			infos := s.peekAll(some)
			for i, p := range some {
				var err error
				if p.isMailbox {
					err = s.completeStatus(ctx, &infos[i])
				}
				if errors.Is(err, mailparts.ErrNoMailbox) { // it was there a moment ago
					continue
				}
				if !yield(infos[i], err) || err != nil {
					return
				}
			}
		}
	}
}

// peekedAtOnce is how many mailboxes are looked at before the first of them is
// yielded.
const peekedAtOnce = 64

// peekAll is what can be said of places without opening them, in as many goroutines
// as can run: nearly all of the time goes to system calls.
func (s *store) peekAll(places []place) []mailparts.MailboxInfo {
	infos := make([]mailparts.MailboxInfo, len(places))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxPeekers, len(places)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(places); i = int(next.Add(1)) - 1 {
				infos[i] = s.peek(places[i])
			}
		})
	}
	wg.Wait()
	return infos
}

// maxPeekers leaves something of a large machine to other users.
const maxPeekers = 4

// peek leaves the Status nil if the mailbox is to be opened for it.
func (s *store) peek(p place) mailparts.MailboxInfo {
	info := mailparts.MailboxInfo{Name: p.name, NoSelect: !p.isMailbox}
	if !p.isMailbox {
		return info
	}
	dir := filepath.Join(s.root, p.path)
	info.Use = s.backend.usesIn(dir)
	if st, ok := s.peekStatus(dir); ok {
		info.Status, info.ID = &st, st.ID
	}
	return info
}

func (s *store) completeStatus(ctx context.Context, info *mailparts.MailboxInfo) error {
	if info.Status == nil {
		mb, err := s.Mailbox(ctx, info.Name)
		if err != nil {
			return err
		}
		st, err := mb.Status(ctx)
		if err != nil {
			return err
		}
		info.Status, info.ID = &st, st.ID
	}
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
