package mailtest_test

import (
	"bytes"
	"context"
	"io"
	"iter"

	"github.com/mailparts/mailparts"
)

// hooks change what a Store or a Mailbox is asked or answers. Nil: as it is.
type hooks struct {
	fail func(call string, err error) error // the errors, nil too

	status   func(st *mailparts.Status)
	query    func(uids *mailparts.UIDSet, q *mailparts.Query)
	message  func(m *mailparts.Message)
	hide     func(m mailparts.Message) bool
	bodyOf   func(mb fullMailbox, uid *mailparts.UID)
	body     func(raw []byte) []byte
	reader   func(mb fullMailbox, uid mailparts.UID, r io.ReadCloser) io.ReadCloser
	append   func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error)
	incoming func(m *mailparts.Incoming)
	placed   func(p *mailparts.Placed)
	flags    func(mb fullMailbox, uids *mailparts.UIDSet, c *mailparts.FlagChange)
	flagged  func(c mailparts.FlagChange, at *mailparts.ModSeq, err *error)
	expunge  func(uids *mailparts.UIDSet, having *mailparts.Flag)
	expunged func(mb fullMailbox)
	copy     copyFunc
	move     copyFunc
	copied   func(c *mailparts.Copied)
	vanished func(uids *mailparts.UIDSet)
	outline  func(o *mailparts.Outline)
	lock     func(ctx context.Context, mb fullMailbox) (func() error, error)
	claim    func(r *mailparts.UIDRange)
	watch    func(ctx context.Context, w mailparts.Watcher, wake func()) error // of a Store too
	search   func(found *mailparts.UIDSet, exact *bool)
	uidl     func(u *mailparts.UIDL)

	name        func(name string) string
	info        func(info *mailparts.MailboxInfo) (listed bool)
	create      func(ctx context.Context, s fullStore, name string, use []string) error
	remove      func(ctx context.Context, s fullStore, name string) error
	rename      func(ctx context.Context, s fullStore, from, to string) error
	subscribed  func(names []string) []string
	subscribe   func(ctx context.Context, s fullStore, name string, on bool) error
	annotations func(all []mailparts.Annotation) []mailparts.Annotation
	annotate    func(ctx context.Context, s fullStore, name string, set []mailparts.Annotation) error
	acl         func(list []mailparts.ACLEntry) []mailparts.ACLEntry
	grant       func(rights mailparts.Rights) mailparts.Rights
	rights      func(mine mailparts.Rights) mailparts.Rights
	quota       func(all []mailparts.Quota)
}

type (
	messages = iter.Seq2[mailparts.Message, error]
	incoming = iter.Seq2[mailparts.Incoming, error]
	copyFunc = func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error)
)

// fullMailbox is what Memory's Mailbox can do.
type fullMailbox interface {
	mailparts.Mailbox
	mailparts.Copier
	mailparts.Mover
	mailparts.VanishedLister
	mailparts.Outliner
	mailparts.Watcher
	mailparts.Locker
	mailparts.RecentClaimer
	mailparts.Cacher
	mailparts.Searcher
	mailparts.UIDLer
}

func (b breakage) fail(call string, err error) error { return b.hooks.failure(call, err) }

func (h hooks) failure(call string, err error) error {
	if h.fail != nil {
		return h.fail(call, err)
	}
	return err
}

// hooked is a Mailbox in which hooks change what comes in or goes out.
type hooked struct {
	fullMailbox
	hooks
}

func (b hooked) Status(ctx context.Context) (mailparts.Status, error) {
	st, err := b.fullMailbox.Status(ctx)
	if err == nil && b.status != nil {
		b.status(&st)
	}
	return st, b.failure("Status", err)
}

func (b hooked) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	if b.query != nil {
		b.query(&uids, &q)
	}
	return func(yield func(mailparts.Message, error) bool) {
		for m, err := range b.fullMailbox.Messages(ctx, uids, q) {
			if err == nil && b.message != nil {
				b.message(&m)
			}
			if err == nil && b.hide != nil && b.hide(m) {
				continue
			}
			if !yield(m, b.failure("Messages", err)) {
				return
			}
		}
	}
}

func (b hooked) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if b.bodyOf != nil {
		b.bodyOf(b.fullMailbox, &uid)
	}
	r, err := b.fullMailbox.Body(ctx, uid)
	if err != nil {
		return nil, b.failure("Body", err)
	}
	if b.reader != nil {
		r = b.reader(b.fullMailbox, uid, r)
	}
	if b.hooks.body != nil {
		raw, err := io.ReadAll(r)
		return io.NopCloser(bytes.NewReader(b.hooks.body(raw))), err
	}
	return r, nil
}

func (b hooked) Append(ctx context.Context, msgs incoming) (placed mailparts.Placed, err error) {
	if b.hooks.incoming != nil {
		given := msgs
		msgs = func(yield func(mailparts.Incoming, error) bool) {
			for m, err := range given {
				if err == nil {
					b.hooks.incoming(&m)
				}
				if !yield(m, err) {
					return
				}
			}
		}
	}
	if b.append != nil {
		placed, err = b.append(ctx, b.fullMailbox, msgs)
	} else {
		placed, err = b.fullMailbox.Append(ctx, msgs)
	}
	if err == nil && b.placed != nil {
		b.placed(&placed)
	}
	return placed, b.failure("Append", err)
}

func (b hooked) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (at mailparts.ModSeq, stale mailparts.UIDSet, err error) {
	if b.flags != nil {
		b.flags(b.fullMailbox, &uids, &c)
	}
	at, stale, err = b.fullMailbox.SetFlags(ctx, uids, c)
	if b.flagged != nil {
		b.flagged(c, &at, &err)
	}
	return at, stale, b.failure("SetFlags", err)
}

func (b hooked) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	if b.expunge != nil {
		b.expunge(&uids, &having)
	}
	err := b.fullMailbox.Expunge(ctx, uids, having)
	if b.expunged != nil {
		b.expunged(b.fullMailbox)
	}
	return b.failure("Expunge", err)
}

// inner is the Mailbox without hooks: Memory copies to its own only.
func inner(mb mailparts.Mailbox) mailparts.Mailbox {
	if h, ok := mb.(hooked); ok {
		return h.fullMailbox
	}
	return mb
}

func (b hooked) Copy(ctx context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (c mailparts.Copied, err error) {
	if b.copy != nil {
		c, err = b.copy(ctx, b.fullMailbox, uids, inner(dst))
	} else {
		c, err = b.fullMailbox.Copy(ctx, uids, inner(dst))
	}
	if b.copied != nil {
		b.copied(&c)
	}
	return c, b.failure("Copy", err)
}

func (b hooked) Move(ctx context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
	if b.move != nil {
		return b.move(ctx, b.fullMailbox, uids, inner(dst))
	}
	return b.fullMailbox.Move(ctx, uids, inner(dst))
}

func (b hooked) Vanished(ctx context.Context, since mailparts.ModSeq) (mailparts.UIDSet, error) {
	uids, err := b.fullMailbox.Vanished(ctx, since)
	if b.vanished != nil {
		b.vanished(&uids)
	}
	return uids, err
}

func (b hooked) Outline(ctx context.Context) (mailparts.Outline, error) {
	o, err := b.fullMailbox.Outline(ctx)
	if b.outline != nil {
		b.outline(&o)
	}
	return o, err
}

func (b hooked) Lock(ctx context.Context) (func() error, error) {
	if b.lock != nil {
		return b.lock(ctx, b.fullMailbox)
	}
	return b.fullMailbox.Lock(ctx)
}

func (b hooked) ClaimRecent(ctx context.Context) (mailparts.UIDRange, error) {
	r, err := b.fullMailbox.ClaimRecent(ctx)
	if b.claim != nil {
		b.claim(&r)
	}
	return r, err
}

func (b hooked) Watch(ctx context.Context, wake func()) error {
	if b.watch != nil {
		return b.watch(ctx, b.fullMailbox, wake)
	}
	return b.fullMailbox.Watch(ctx, wake)
}

func (b hooked) Search(ctx context.Context, uids mailparts.UIDSet, t mailparts.TextSearch) (mailparts.UIDSet, bool, error) {
	found, exact, err := b.fullMailbox.Search(ctx, uids, t)
	if b.search != nil {
		b.search(&found, &exact)
	}
	return found, exact, err
}

func (b hooked) UIDLs(ctx context.Context) iter.Seq2[mailparts.UIDL, error] {
	return func(yield func(mailparts.UIDL, error) bool) {
		for u, err := range b.fullMailbox.UIDLs(ctx) {
			if err == nil && b.uidl != nil {
				b.uidl(&u)
			}
			if !yield(u, err) {
				return
			}
		}
	}
}
