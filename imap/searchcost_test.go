package imap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// costly counts what a search asks of a store that has no search of its own.
type costly struct {
	mailparts.Mailbox
	bodies atomic.Int64 // several messages are read at a time
	want   []mailparts.Field
	fails  bool

	noModSeq bool
}

func (b *costly) Status(ctx context.Context) (mailparts.Status, error) {
	st, err := b.Mailbox.Status(ctx)
	if b.noModSeq {
		st.HighestModSeq = 0
	}
	return st, err
}

func (b *costly) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if b.bodies.Add(1); b.fails {
		return nil, errors.New("disk on fire")
	}
	return b.Mailbox.Body(ctx, uid)
}

func (b *costly) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	b.want = append(b.want, q.Want)
	return b.Mailbox.Messages(ctx, uids, q)
}

func (b *costly) Cache(ctx context.Context, derived iter.Seq2[mailparts.UID, []byte]) error {
	return mailparts.Cache(ctx, b.Mailbox, derived)
}

// costlyBackend gives out one costly mailbox.
type costlyBackend struct {
	mailtest.Memory
	box costly
}

type costlyStore struct {
	mailparts.Store
	box *costly
}

func (b *costlyBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Memory.Open(ctx, user)
	return costlyStore{s, &b.box}, err
}

func (s costlyStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	s.box.Mailbox = mb
	return s.box, err
}

// Flags cost a listing, and what is cached no message.
func TestSearchCost(t *testing.T) {
	backend := new(costlyBackend)
	r := start(t, func(s *imap.Server) { s.Backend = backend })
	for i := range 20 {
		flags := []mailparts.Flag{}
		if i%10 == 3 {
			flags = append(flags, mailparts.FlagSeen)
		}
		r.put(time.Time{}, fmt.Sprintf("Subject: s%d\r\nX-Y: z%d\r\n\r\nbody\r\n", i, i), flags...)
	}
	c := r.selecting()
	for _, test := range []struct {
		keys   string
		bodies int64
		stages int
	}{
		{"UNSEEN", 0, 1},
		{"1:5 NOT DELETED", 0, 1},
		{"SEEN TEXT s3", 2, 2},
		{"OR SEEN BODY body", 18, 2},
		{"SMALLER 1 BODY body", 0, 2},
		{"SUBJECT s1", 0, 2},
		{"SENTSINCE 1-Jan-1990", 0, 2},
		{"X-UNKNOWN", 0, 0},
		{"HEADER X-Y z1", 20, 2},
		{"SUBJECT s19 HEADER X-Y z1", 1, 2},
		{"HEADER X-Y z1 SUBJECT s19", 1, 2},
	} {
		backend.box.want = nil
		backend.box.bodies.Store(0)
		c.do("SEARCH " + test.keys)
		if got := backend.box.bodies.Load(); got != test.bodies {
			t.Errorf("SEARCH %s reads %d messages, want %d", test.keys, got, test.bodies)
		}
		if got := len(backend.box.want); got != test.stages {
			t.Errorf("SEARCH %s takes %d listings, want %d", test.keys, got, test.stages)
		}
	}
	for _, command := range []string{"SORT (DATE SUBJECT FROM) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "SEARCH FROM x TO y"} {
		backend.box.bodies.Store(0)
		c.do(command)
		if got := backend.box.bodies.Load(); got != 0 {
			t.Errorf("%s reads %d messages", command, got)
		}
	}
	backend.box.fails = true
	equal(t, c.do("SEARCH BODY x"), []string{"NO [UNAVAILABLE] Temporary failure, please try again later"})
}
