package mailtest_test

import (
	"bytes"
	"context"
	"io"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailparts/mailparts"
)

// changedBody is a mailbox that yields other octets.
type changedBody struct {
	fullMailbox
	change func([]byte) []byte
}

func (b changedBody) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	r, err := b.fullMailbox.Body(ctx, uid)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r)
	return io.NopCloser(bytes.NewReader(b.change(raw))), err
}

// locked is a mailbox that holds a lock where it must not.
type locked struct {
	fullMailbox
	mu             *sync.Mutex
	yield, reading bool
}

func (b locked) Status(ctx context.Context) (mailparts.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fullMailbox.Status(ctx)
}

func (b locked) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return func(yield func(mailparts.Message, error) bool) {
		if b.yield {
			b.mu.Lock()
			defer b.mu.Unlock()
		}
		b.fullMailbox.Messages(ctx, uids, q)(yield)
	}
}

func (b locked) Append(ctx context.Context, msgs incoming) (mailparts.Placed, error) {
	if b.reading {
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	return b.fullMailbox.Append(ctx, msgs)
}

// leaky is a mailbox that changes flags in slices that readers have.
type leaky struct {
	fullMailbox
	given *[]mailparts.Flag
}

func (b leaky) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return changedMessages{b.fullMailbox, func(m *mailparts.Message) { *b.given = m.Flags }}.Messages(ctx, uids, q)
}

func (b leaky) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	if len(*b.given) > 0 && len(c.Flags) > 0 {
		(*b.given)[0] = c.Flags[0]
	}
	return b.fullMailbox.SetFlags(ctx, uids, c)
}

// late is a mailbox that shows its newest message only when no Append is under
// way, but counts it at once.
type late struct {
	fullMailbox
	*lateness
}

// lateness is common to all handles.
type lateness struct {
	appending atomic.Int32
	looks     chan struct{} // by those who do not see the newest message
}

// Append returns when readers have looked in vain, if there are any.
func (b late) Append(ctx context.Context, msgs incoming) (mailparts.Placed, error) {
	b.appending.Add(1)
	defer b.appending.Add(-1)
	placed, err := b.fullMailbox.Append(ctx, msgs)
	enough := time.After(50 * time.Millisecond)
	for range 5 {
		select {
		case <-b.looks:
		case <-enough:
			return placed, err
		}
	}
	return placed, err
}

func (b late) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return func(yield func(mailparts.Message, error) bool) {
		var held *mailparts.Message
		for m, err := range b.fullMailbox.Messages(ctx, uids, q) {
			if err != nil {
				yield(m, err)
				return
			}
			if held != nil && !yield(*held, nil) {
				return
			}
			held = &m
		}
		if b.appending.Load() > 0 {
			select {
			case b.looks <- struct{}{}:
			default:
			}
			return
		}
		if held != nil {
			yield(*held, nil)
		}
	}
}

// changedOptions is a mailbox whose optional methods do something else.
type changedOptions struct {
	fullMailbox
	vanished func() mailparts.UIDSet
	lock     func() error
	claim    func() mailparts.UIDRange
	asleep   bool
}

func (b changedOptions) Vanished(ctx context.Context, since mailparts.ModSeq) (mailparts.UIDSet, error) {
	if b.vanished != nil {
		return b.vanished(), nil
	}
	return b.fullMailbox.Vanished(ctx, since)
}

func (b changedOptions) Lock(ctx context.Context) (func() error, error) {
	if b.lock != nil {
		return b.lock, nil
	}
	return b.fullMailbox.Lock(ctx)
}

func (b changedOptions) ClaimRecent(ctx context.Context) (mailparts.UIDRange, error) {
	if b.claim != nil {
		return b.claim(), nil
	}
	return b.fullMailbox.ClaimRecent(ctx)
}

func (b changedOptions) Watch(ctx context.Context, wake func()) error {
	if b.asleep {
		return nil
	}
	return b.fullMailbox.Watch(ctx, wake)
}

// reordered copies into its other mailbox from the end.
type reordered struct{ fullMailbox }

func (b reordered) Copy(ctx context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (c mailparts.Copied, err error) {
	for i := len(uids) - 1; i >= 0; i-- {
		one, err := mailparts.Copy(ctx, struct{ mailparts.Mailbox }{b.fullMailbox}, uids[i:i+1], dst)
		if err != nil {
			return c, err
		}
		c.To.UIDValidity = one.To.UIDValidity
		c.From.Add(uids[i].First, uids[i].Last)
		for _, r := range one.To.UIDs {
			c.To.UIDs.Add(r.First, r.Last)
		}
	}
	return c, nil
}

// cleaning is a store that opens what a name leads to as a path.
type cleaning struct{ fullStore }

func (s cleaning) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	return s.fullStore.Mailbox(ctx, strings.TrimLeft(path.Clean("/"+name), "/"))
}

// polite is a store that says yes to names that it cannot make.
type polite struct{ fullStore }

func (s polite) Create(ctx context.Context, name string, use ...string) error {
	if err := s.fullStore.Create(ctx, name, use...); err != mailparts.ErrBadName {
		return err
	}
	return nil
}

// grim is a store whose Delete takes the children too, and subscriptions.
type grim struct{ fullStore }

func (s grim) Delete(ctx context.Context, name string) error {
	for info := range s.List(ctx) {
		if strings.HasPrefix(info.Name, name+"/") {
			s.fullStore.Delete(ctx, info.Name)
		}
	}
	s.Subscribe(ctx, name, false)
	return s.fullStore.Delete(ctx, name)
}

// copying is a store whose Rename makes a new mailbox, without children.
type copying struct{ fullStore }

func (s copying) Rename(ctx context.Context, from, to string) error {
	src, err := s.Mailbox(ctx, from)
	if err != nil {
		return err
	}
	if err := s.Create(ctx, to); err != nil {
		return err
	}
	dst, err := s.Mailbox(ctx, to)
	if err != nil {
		return err
	}
	if _, err := mailparts.Copy(ctx, src, mailparts.AllUIDs(), dst); err != nil {
		return err
	}
	return s.Delete(ctx, from)
}
