package imap_test

import (
	"context"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
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

// A message that has gone by the time its arrival is noticed is told neither as there nor
// as gone.
func TestExpungeOfAnArrival(t *testing.T) {
	var memory mailtest.Memory
	r := start(t, func(s *imap.Server) {
		s.Backend = tamperedBackend{&memory, &tampering{vanished: func(mb mailparts.Mailbox, list func() mailparts.UIDSet) mailparts.UIDSet {
			if err := mb.Expunge(t.Context(), mailparts.UIDSet{{First: 4, Last: 4}}, ""); err != nil {
				t.Error(err)
			}
			return list()
		}}}
	})
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.selecting()
	r.fill("4\r\n", "5\r\n")
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, ""); err != nil {
		t.Fatal(err)
	}
	c.play(`
		C: a1 NOOP
		S: * 2 EXPUNGE
		S: * 3 EXISTS
		S: * 0 RECENT
		S: a1 OK NOOP completed
		C: a2 UID FETCH 1:* UID
		S: * 1 FETCH (UID 1)
		S: * 2 FETCH (UID 3)
		S: * 3 FETCH (UID 5)
		S: a2 OK FETCH completed
	`)
}
