package maildir

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"

	"github.com/mailparts/mailparts"
)

// mailbox is a handle. All that it knows is in the box that handles share.
type mailbox struct{ *box }

// Status costs three stats if nothing has changed.
func (m *mailbox) Status(ctx context.Context) (mailparts.Status, error) {
	if err := m.refresh(ctx); err != nil {
		return mailparts.Status{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return mailparts.Status{
		UIDValidity:    m.validity,
		UIDNext:        mailparts.UID(m.next),
		Messages:       uint32(len(m.entries)),
		PermanentFlags: slices.Clone(flagNames[:]),
	}, nil
}

// Messages asks the disk for dates, and for the sizes of those files whose names
// do not tell.
func (m *mailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		if err := m.messages(ctx, uids, q, yield); err != nil {
			yield(mailparts.Message{}, err)
		}
	}
}

func (m *mailbox) messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query, yield func(mailparts.Message, error) bool) error {
	if err := m.refresh(ctx); err != nil {
		return err
	}
	if q.Since > 0 { // nothing has a mod-sequence
		return nil
	}
	var some [64]entry
	after := mailparts.UID(0)
	for {
		n, err := m.some(some[:], uids, after)
		if err != nil || n == 0 {
			return err
		}
		after = some[n-1].uid
		for _, e := range some[:n] {
			msg, err := m.message(ctx, e, q.Want)
			if errors.Is(err, mailparts.ErrNoMessage) {
				continue
			}
			if err != nil {
				return err
			}
			if !yield(msg, nil) {
				return nil
			}
		}
	}
}

// some copies those of uids that come after a UID, as many as there is room for:
// nothing is held while the caller looks at them.
func (b *box) some(room []entry, uids mailparts.UIDSet, after mailparts.UID) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return 0, mailparts.ErrNoMailbox
	}
	for _, r := range uids {
		if r.Last <= after {
			continue
		}
		i, _ := b.index(max(r.First, after+1))
		for ; i < len(b.entries) && b.entries[i].uid <= r.Last; i++ {
			if n == len(room) {
				return n, nil
			}
			room[n] = b.entries[i]
			n++
		}
	}
	return n, nil
}

// message is ErrNoMessage if it is gone by now.
func (m *mailbox) message(ctx context.Context, e entry, want mailparts.Field) (mailparts.Message, error) {
	msg := mailparts.Message{UID: e.uid}
	if want&mailparts.WantDates != 0 {
		err := m.follow(ctx, &e, func(path string) error {
			fi, err := m.fsys.Stat(path)
			if err == nil {
				msg.Received = fi.ModTime()
			}
			return err
		})
		if err != nil {
			return msg, err
		}
	}
	if want&mailparts.WantSize != 0 {
		var err error
		if msg.Size, err = m.size(ctx, &e); err != nil {
			return msg, err
		}
	}
	msg.Flags = flagLists[e.flags]
	return msg, nil
}

// follow calls op with the path of a message's file, and again with the one that
// it has got meanwhile, if op says fs.ErrNotExist.
func (b *box) follow(ctx context.Context, e *entry, op func(path string) error) error {
	for range maxLooks {
		err := b.try(func(dir string) error {
			return op(e.path(dir))
		})
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		b.forgetShelves()
		if err := b.refresh(ctx); err != nil {
			return err
		}
		now, ok := b.find(e.uid)
		if !ok {
			return mailparts.ErrNoMessage
		}
		*e = now
	}
	return errors.New("the message's file changes its name too often: " + filepath.Base(e.name))
}

// size is the message's on the wire.
func (b *box) size(ctx context.Context, e *entry) (int64, error) {
	if size := b.knownSize(e); size >= 0 {
		return size, nil
	}
	var size int64
	err := b.follow(ctx, e, func(path string) (err error) {
		size, err = b.measure(path)
		return err
	})
	if err == nil {
		b.setSize(e.uid, size)
	}
	return size, err
}

// knownSize is what was measured or stands in the uidlist or in the file's name,
// or -1.
func (b *box) knownSize(e *entry) int64 {
	b.mu.Lock()
	size, ok := b.sizes[e.uid]
	b.mu.Unlock()
	if !ok {
		size = sizeIn(e.key(), wireSize)
	}
	return size
}

// setSize notes a size that was measured, or by -1 that what is known is wrong.
func (b *box) setSize(uid mailparts.UID, size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sizes[uid] = size
}
