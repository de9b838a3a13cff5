package imap_test

import (
	"context"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// lyingBackend has messages that are said to be longer by more than they are.
type lyingBackend struct {
	mailparts.Backend
	more int64
}

func (b lyingBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return lyingStore{s, b.more}, err
}

type lyingStore struct {
	mailparts.Store
	more int64
}

func (s lyingStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	return lyingMailbox{mb, s.more}, err
}

type lyingMailbox struct {
	mailparts.Mailbox
	more int64
}

func (b lyingMailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		for m, err := range b.Mailbox.Messages(ctx, uids, q) {
			if m.Size > 0 {
				m.Size += b.more
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// A message that is longer than the store has said is cut: what is announced is sent.
func TestMessageLongerThanItsSize(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = lyingBackend{s.Backend, -4} })
	r.fill("Subject: x\r\n\r\nbody\r\n")
	r.selecting().play(`
		C: a1 FETCH 1 (RFC822.SIZE BODY.PEEK[])
		S: * 1 FETCH (RFC822.SIZE 16 BODY[] {16}
		Subject: x

		bo)
		S: a1 OK FETCH completed
	`)
}

// Of a message that is shorter no octets are made up, and nothing is said inside it.
func TestMessageShorterThanItsSize(t *testing.T) {
	for _, item := range []string{"BODY.PEEK[]", "RFC822", "BODY.PEEK[]<2.100>"} {
		r := start(t, func(s *imap.Server) { s.Backend = lyingBackend{s.Backend, 4} })
		r.fill("Subject: x\r\n\r\nbody\r\n")
		c := r.selecting()
		io.WriteString(c, "a1 FETCH 1 "+item+"\r\na2 NOOP\r\n")
		rest, err := io.ReadAll(c.r)
		if err != nil || !strings.HasSuffix(string(rest), "body\r\n") {
			t.Errorf("%s: %q, %v", item, rest, err)
		}
		if log := r.log.String(); !strings.Contains(log, "message cannot be read to its end") {
			t.Error(log)
		}
	}
}
