package mbox

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// mailbox is a handle. All that it knows is in the box that handles share.
type mailbox struct{ *box }

// Status costs a stat if nothing has changed.
func (m *mailbox) Status(ctx context.Context) (mailparts.Status, error) {
	if err := m.refresh(ctx); err != nil {
		return mailparts.Status{}, quota(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	st := mailparts.Status{
		UIDValidity:    m.base.validity,
		UIDNext:        mailparts.UID(m.next),
		Messages:       uint32(len(m.entries)),
		FirstRecent:    m.firstRecent(),
		ReadOnly:       m.readOnly,
		PermanentFlags: flagsOf(^flagSet(0), m.base.keywords),
	}
	if len(m.base.keywords) < maxKeywords {
		st.PermanentFlags = append(st.PermanentFlags, mailparts.FlagAny)
	}
	return st, nil
}

// firstRecent is the first message of those at the end that no session has seen.
func (b *box) firstRecent() mailparts.UID {
	i := len(b.entries)
	for i > 0 && b.entries[i-1].flags&old == 0 {
		i--
	}
	if i == len(b.entries) {
		return 0
	}
	return mailparts.UID(b.entries[i].uid)
}

// ClaimRecent writes "O" into Status, as all programs do that show a message.
func (m *mailbox) ClaimRecent(ctx context.Context) (claimed mailparts.UIDRange, err error) {
	err = m.modify(ctx, func(h *held) error {
		first := h.firstRecent()
		if first == 0 || h.readOnly {
			return nil
		}
		last := mailparts.UID(h.entries[len(h.entries)-1].uid)
		uids := mailparts.UIDSet{{First: first, Last: last}}
		err := h.setFlags(h.pick(uids, func(*entry) bool { return true }), func(f flagSet) flagSet { return f | old }, h.base.keywords)
		if err == nil {
			claimed = uids[0]
		}
		return err
	})
	return claimed, err
}

// Messages reads those messages whose sizes are wanted and not known, once.
func (m *mailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		if err := m.messages(ctx, uids, q, yield); err != nil {
			yield(mailparts.Message{}, quota(err))
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
	measured := 0
	defer func() {
		if measured > 0 {
			m.saveSizes(ctx)
		}
	}()
	var some [64]entry
	after := uint64(0)
	for {
		n, err := m.some(some[:], uids, after)
		if err != nil || n == 0 {
			return err
		}
		after = uint64(some[n-1].uid)
		for _, e := range some[:n] {
			uid := mailparts.UID(e.uid)
			msg := mailparts.Message{UID: uid, Flags: m.list(e.flags)}
			if q.Want&mailparts.WantSize != 0 {
				if msg.Size = e.size; msg.Size < 0 {
					msg.Size, err = m.measure(ctx, uid)
					measured++
				}
			}
			if errors.Is(err, mailparts.ErrNoMessage) {
				continue
			}
			if err != nil {
				return err
			}
			if q.Want&mailparts.WantDates != 0 {
				msg.Received = time.Unix(e.received, 0)
			}
			if !yield(msg, nil) {
				return nil
			}
		}
	}
}

// some copies those of uids that come after a UID, as many as there is room for:
// nothing is held while the caller looks at them.
func (b *box) some(room []entry, uids mailparts.UIDSet, after uint64) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return 0, mailparts.ErrNoMailbox
	}
	for _, r := range uids {
		if uint64(r.Last) <= after {
			continue
		}
		i, _ := b.index(max(uint64(r.First), after+1))
		for ; i < len(b.entries) && b.entries[i].uid <= uint32(r.Last); i++ {
			if n == len(room) {
				return n, nil
			}
			room[n] = b.entries[i]
			n++
		}
	}
	return n, nil
}

// list is the flags of a set, shared by all messages that have them.
func (b *box) list(set flagSet) []mailparts.Flag {
	b.mu.Lock()
	defer b.mu.Unlock()
	flags, ok := b.lists[set]
	if !ok {
		flags = flagsOf(set, b.base.keywords)
		b.lists[set] = flags
	}
	return flags
}

// saveSizes puts what was measured into the index.
func (b *box) saveSizes(ctx context.Context) {
	h, err := b.lock(ctx, false)
	if err != nil {
		return
	}
	defer h.unlock()
	if h.loaded && h.known.is(h.fi) {
		h.saveIndex(0, nil)
	}
}

// Lock is the kernel's lock on a file, and so goes with the process. It takes a free
// lock even if ctx is done.
func (m *mailbox) Lock(ctx context.Context) (unlock func() error, err error) {
	if err := m.refresh(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	name, _, err := m.where()
	if err != nil {
		return nil, err
	}
	var lock io.Closer
	err = disk.Poll(ctx, func() (err error) {
		lock, err = m.fsys.Lock(m.store.sideOf(name) + sessionSuffix)
		return err
	})
	if err != nil && errors.Is(err, ctx.Err()) {
		return nil, mailparts.ErrLocked
	}
	if err != nil {
		return nil, quota(err)
	}
	return sync.OnceValue(lock.Close), nil
}
