package mailtest_test

import (
	"context"
	"iter"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// brokenBackend is a Memory that breaks one promise.
type brokenBackend struct {
	*mailtest.Memory
	breakage
}

// breakage says what is put in place of what Memory does.
type breakage struct {
	promise string                                      // that the kit must find broken
	mailbox func(mb fullMailbox) mailparts.Mailbox      // nil: as it is
	store   func(s fullStore) mailparts.Store           // nil: as it is
	user    func(user string) string                    // nil: as it is
	reopen  func(b mailparts.Backend) mailparts.Backend // nil: the same Memory
}

func (b *brokenBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	if b.user != nil {
		user = b.user(user)
	}
	s, err := b.Memory.Open(ctx, user)
	if err != nil {
		return nil, err
	}
	full := s.(fullStore)
	if b.mailbox != nil {
		full = brokenMailboxes{full, b.mailbox}
	}
	if b.store != nil {
		return b.store(full), nil
	}
	return full, nil
}

// fullStore is what Memory's Store can do.
type fullStore interface {
	mailparts.Store
	mailparts.Manager
	mailparts.Subscriber
	mailparts.StatusLister
	mailparts.Watcher
}

// fullMailbox is what Memory's Mailbox can do.
type fullMailbox interface {
	mailparts.Mailbox
	mailparts.Copier
	mailparts.Mover
	mailparts.VanishedLister
	mailparts.Watcher
	mailparts.Locker
	mailparts.RecentClaimer
	mailparts.Cacher
}

// brokenMailboxes is a store of broken mailboxes.
type brokenMailboxes struct {
	fullStore
	wrap func(fullMailbox) mailparts.Mailbox
}

func (s brokenMailboxes) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.fullStore.Mailbox(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.wrap(mb.(fullMailbox)), nil
}

type (
	messages = iter.Seq2[mailparts.Message, error]
	incoming = iter.Seq2[mailparts.Incoming, error]
)

// changedMessages is a mailbox whose Messages are changed on their way.
type changedMessages struct {
	fullMailbox
	change func(m *mailparts.Message)
}

func (b changedMessages) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return func(yield func(mailparts.Message, error) bool) {
		for m, err := range b.fullMailbox.Messages(ctx, uids, q) {
			if err == nil {
				b.change(&m)
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// changedQuery is a mailbox whose Messages are asked for something else.
type changedQuery struct {
	fullMailbox
	change func(uids *mailparts.UIDSet, q *mailparts.Query)
}

func (b changedQuery) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	b.change(&uids, &q)
	return b.fullMailbox.Messages(ctx, uids, q)
}

// changedStatus is a mailbox with a wrong status.
type changedStatus struct {
	fullMailbox
	change func(st *mailparts.Status)
}

func (b changedStatus) Status(ctx context.Context) (mailparts.Status, error) {
	st, err := b.fullMailbox.Status(ctx)
	if err == nil {
		b.change(&st)
	}
	return st, err
}

// changedFlags is a mailbox whose SetFlags does something else.
type changedFlags struct {
	fullMailbox
	change func(uids *mailparts.UIDSet, c *mailparts.FlagChange)
}

func (b changedFlags) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	b.change(&uids, &c)
	return b.fullMailbox.SetFlags(ctx, uids, c)
}

// changedAppend is a mailbox whose Append does something else.
type changedAppend struct {
	fullMailbox
	append func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error)
}

func (b changedAppend) Append(ctx context.Context, msgs incoming) (mailparts.Placed, error) {
	return b.append(ctx, b.fullMailbox, msgs)
}

// changedExpunge is a mailbox whose Expunge does something else.
type changedExpunge struct {
	fullMailbox
	expunge func(ctx context.Context, mb fullMailbox, uids mailparts.UIDSet, having mailparts.Flag) error
}

func (b changedExpunge) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	return b.expunge(ctx, b.fullMailbox, uids, having)
}
