package imap_test

import (
	"context"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// hookedBackend calls after between the Status of a mailbox and what follows.
type hookedBackend struct {
	mailparts.Backend
	after *func()
}

func (b hookedBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return hookedStore{s, b.after}, err
}

type hookedStore struct {
	mailparts.Store
	after *func()
}

func (s hookedStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	return hookedMailbox{mb, s.after}, err
}

type hookedMailbox struct {
	mailparts.Mailbox
	after *func()
}

func (b hookedMailbox) Status(ctx context.Context) (mailparts.Status, error) {
	st, err := b.Mailbox.Status(ctx)
	if f := *b.after; f != nil {
		*b.after = nil
		f()
	}
	return st, err
}

func (b hookedMailbox) Vanished(ctx context.Context, since mailparts.ModSeq) (mailparts.UIDSet, error) {
	return mailparts.Vanished(ctx, b.Mailbox, since)
}

// A message that comes and goes while the session looks does not hide that another has
// gone, though the numbers are as they were.
func TestExpungeBehindAnArrival(t *testing.T) {
	var after func()
	r := start(t, func(s *imap.Server) { s.Backend = hookedBackend{s.Backend, &after} })
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.selecting()
	expunge := func(uid mailparts.UID) {
		if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: uid, Last: uid}}, ""); err != nil {
			t.Error(err)
		}
	}
	expunge(1)
	r.fill("4\r\n")
	after = func() { expunge(4) }
	c.do("NOOP")
	c.play(`
		C: a1 NOOP
		S: * 1 EXPUNGE
		S: a1 OK NOOP completed
		C: a2 UID FETCH 1:* UID
		S: * 1 FETCH (UID 2)
		S: * 2 FETCH (UID 3)
		S: a2 OK FETCH completed
	`)
}
