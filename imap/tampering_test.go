package imap_test

import (
	"context"
	"io"
	"iter"

	"github.com/mailparts/mailparts"
)

// tampering is what is done to the mailboxes of a store; what is nil is left alone.
type tampering struct {
	vanished func(mb mailparts.Mailbox, list func() mailparts.UIDSet) mailparts.UIDSet
	messages func(m *mailparts.Message, q mailparts.Query) (leaveOut bool)
	setFlags func(mb mailparts.Mailbox, uids mailparts.UIDSet, c mailparts.FlagChange) mailparts.UIDSet
	expunge  func(uids mailparts.UIDSet, having mailparts.Flag) (mailparts.UIDSet, mailparts.Flag)
	body     func(uid mailparts.UID) mailparts.UID
}

// tamperedBackend has only those optional interfaces of its mailboxes that a test needs.
type tamperedBackend struct {
	mailparts.Backend
	*tampering
}

func (b tamperedBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return tamperedStore{s, b.tampering}, err
}

type tamperedStore struct {
	mailparts.Store
	*tampering
}

func (s tamperedStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	return tamperedMailbox{mb, s.tampering}, err
}

type tamperedMailbox struct {
	mailparts.Mailbox
	*tampering
}

func (b tamperedMailbox) Vanished(ctx context.Context, since mailparts.ModSeq) (gone mailparts.UIDSet, err error) {
	if b.vanished == nil {
		return mailparts.Vanished(ctx, b.Mailbox, since)
	}
	return b.vanished(b.Mailbox, func() mailparts.UIDSet {
		gone, err = mailparts.Vanished(ctx, b.Mailbox, since)
		return gone
	}), err
}

func (b tamperedMailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		for m, err := range b.Mailbox.Messages(ctx, uids, q) {
			if err == nil && b.messages != nil && b.messages(&m, q) {
				continue
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

func (b tamperedMailbox) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	if b.setFlags != nil {
		uids = b.setFlags(b.Mailbox, uids, c)
	}
	return b.Mailbox.SetFlags(ctx, uids, c)
}

func (b tamperedMailbox) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	if b.expunge != nil {
		uids, having = b.expunge(uids, having)
	}
	return b.Mailbox.Expunge(ctx, uids, having)
}

func (b tamperedMailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if b.body != nil {
		uid = b.body(uid)
	}
	return b.Mailbox.Body(ctx, uid)
}
