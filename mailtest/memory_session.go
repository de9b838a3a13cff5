package mailtest

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/mailparts/mailparts"
)

// Lock takes a free lock even if ctx is done. To unlock twice does no harm.
func (b memoryHandle) Lock(ctx context.Context) (unlock func() error, err error) {
	if err := b.view("r", func() {}); err != nil {
		return nil, err
	}
	select {
	case b.lock <- struct{}{}:
	default:
		select {
		case b.lock <- struct{}{}:
		case <-ctx.Done():
			return nil, mailparts.ErrLocked
		}
	}
	return sync.OnceValue(func() error {
		<-b.lock
		return nil
	}), nil
}

// ClaimRecent returns the zero UIDRange if there is nothing to claim.
func (b memoryHandle) ClaimRecent(context.Context) (r mailparts.UIDRange, err error) {
	err = b.view("r", func() {
		if b.firstRecent == b.uidNext {
			return
		}
		r = mailparts.UIDRange{First: b.firstRecent, Last: b.uidNext - 1}
		b.firstRecent = b.uidNext
		b.touch()
	})
	return r, err
}

// Cache keeps the bytes for as long as the message.
func (b memoryHandle) Cache(_ context.Context, derived iter.Seq2[mailparts.UID, []byte]) error {
	for uid, data := range derived {
		data = slices.Clone(data)
		err := b.view("r", func() {
			for m := range b.in(mailparts.UIDSet{{First: uid, Last: uid}}) {
				m.derived = data
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
