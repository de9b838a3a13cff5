package mailtest_test

import (
	"context"
	"iter"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// brokenBackend is a Memory of which every Store and Mailbox has hooks.
type brokenBackend struct {
	breakage
	memory *mailtest.Memory
}

func (b *brokenBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	if b.user != nil {
		user = b.user(user)
	}
	s, err := b.memory.Open(ctx, user)
	if err != nil {
		return nil, err
	}
	hooked := hookedStore{s.(fullStore), b.breakage}
	if b.store != nil {
		return b.store(hooked), nil
	}
	return hooked, nil
}

// fullStore is what Memory's Store can do.
type fullStore interface {
	mailparts.Store
	mailparts.Manager
	mailparts.Subscriber
	mailparts.StatusLister
	mailparts.Watcher
	mailparts.Annotator
	mailparts.ACLer
	mailparts.Namespacer
	mailparts.Quotaer
}

// hookedStore is a Store in which hooks change what comes in or goes out.
type hookedStore struct {
	fullStore
	b breakage
}

func (s hookedStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if s.b.name != nil {
		name = s.b.name(name)
	}
	mb, err := s.fullStore.Mailbox(ctx, name)
	if err != nil {
		return nil, s.b.fail("Mailbox", err)
	}
	if s.b.mailbox != nil {
		return s.b.mailbox(mb.(fullMailbox)), nil
	}
	return hooked{mb.(fullMailbox), s.b.hooks}, nil
}

func (s hookedStore) List(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return s.infos(s.fullStore.List(ctx))
}

func (s hookedStore) ListStatus(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return s.infos(s.fullStore.ListStatus(ctx))
}

func (s hookedStore) infos(infos iter.Seq2[mailparts.MailboxInfo, error]) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		for info, err := range infos {
			if s.b.info != nil && err == nil && !s.b.info(&info) {
				continue
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

func (s hookedStore) Create(ctx context.Context, name string, use ...string) error {
	if s.b.create != nil {
		return s.b.create(ctx, s.fullStore, name, use)
	}
	return s.b.fail("Create", s.fullStore.Create(ctx, name, use...))
}

func (s hookedStore) Delete(ctx context.Context, name string) error {
	if s.b.remove != nil {
		return s.b.remove(ctx, s.fullStore, name)
	}
	return s.b.fail("Delete", s.fullStore.Delete(ctx, name))
}

func (s hookedStore) Rename(ctx context.Context, from, to string) error {
	if s.b.rename != nil {
		return s.b.rename(ctx, s.fullStore, from, to)
	}
	return s.b.fail("Rename", s.fullStore.Rename(ctx, from, to))
}

func (s hookedStore) Subscribed(ctx context.Context) ([]string, error) {
	names, err := s.fullStore.Subscribed(ctx)
	if s.b.subscribed != nil {
		names = s.b.subscribed(names)
	}
	return names, err
}

func (s hookedStore) Subscribe(ctx context.Context, name string, on bool) error {
	if s.b.subscribe != nil {
		return s.b.subscribe(ctx, s.fullStore, name, on)
	}
	return s.fullStore.Subscribe(ctx, name, on)
}

func (s hookedStore) Annotations(ctx context.Context, name string) ([]mailparts.Annotation, error) {
	all, err := s.fullStore.Annotations(ctx, name)
	if s.b.annotations != nil {
		all = s.b.annotations(all)
	}
	return all, s.b.fail("Annotations", err)
}

func (s hookedStore) Annotate(ctx context.Context, name string, set ...mailparts.Annotation) error {
	if s.b.annotate != nil {
		return s.b.annotate(ctx, s.fullStore, name, set)
	}
	return s.fullStore.Annotate(ctx, name, set...)
}

func (s hookedStore) ACL(ctx context.Context, name string) ([]mailparts.ACLEntry, error) {
	list, err := s.fullStore.ACL(ctx, name)
	if s.b.acl != nil {
		list = s.b.acl(list)
	}
	return list, s.b.fail("ACL", err)
}

func (s hookedStore) SetACL(ctx context.Context, name, identifier string, rights mailparts.Rights) error {
	if s.b.grant != nil {
		rights = s.b.grant(rights)
	}
	return s.b.fail("SetACL", s.fullStore.SetACL(ctx, name, identifier, rights))
}

func (s hookedStore) MyRights(ctx context.Context, name string) (mailparts.Rights, error) {
	mine, err := s.fullStore.MyRights(ctx, name)
	if s.b.rights != nil {
		mine = s.b.rights(mine)
	}
	return mine, err
}

func (s hookedStore) Quota(ctx context.Context, name string) ([]mailparts.Quota, error) {
	all, err := s.fullStore.Quota(ctx, name)
	if s.b.quota != nil {
		s.b.quota(all)
	}
	return all, s.b.fail("Quota", err)
}

func (s hookedStore) Watch(ctx context.Context, wake func()) error {
	if s.b.watch != nil {
		return s.b.watch(ctx, s.fullStore, wake)
	}
	return s.fullStore.Watch(ctx, wake)
}
