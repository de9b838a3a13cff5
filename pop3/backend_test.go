package pop3_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/pop3"
)

// wrapped is a Backend with something around its mailboxes.
type wrapped struct {
	mailparts.Backend
	wrap func(mailparts.Mailbox) mailparts.Mailbox
}

func (w wrapped) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := w.Backend.Open(ctx, user)
	return wrappedStore{s, w.wrap}, err
}

type wrappedStore struct {
	mailparts.Store
	wrap func(mailparts.Mailbox) mailparts.Mailbox
}

func (s wrappedStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.wrap(mb), nil
}

// faulty is a Backend whose calls fail as a test says. Its mailboxes have no
// optional interfaces. A nil hook is no fault.
type faulty struct {
	mailparts.Backend
	open     error
	mailbox  error
	status   error
	messages error // after the first message
	body     func(io.ReadCloser) (io.ReadCloser, error)
	expunge  func(uids mailparts.UIDSet) error
}

func (f *faulty) Open(ctx context.Context, user string) (mailparts.Store, error) {
	if f.open != nil {
		return nil, f.open
	}
	s, err := f.Backend.Open(ctx, user)
	return &faultyStore{s, f}, err
}

type faultyStore struct {
	mailparts.Store
	f *faulty
}

func (s *faultyStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if s.f.mailbox != nil {
		return nil, s.f.mailbox
	}
	mb, err := s.Store.Mailbox(ctx, name)
	return &faultyMailbox{mb, s.f}, err
}

type faultyMailbox struct {
	mailparts.Mailbox
	f *faulty
}

func (m *faultyMailbox) Status(ctx context.Context) (mailparts.Status, error) {
	if m.f.status == errPanic {
		panic(errPanic)
	}
	if m.f.status != nil {
		return mailparts.Status{}, m.f.status
	}
	return m.Mailbox.Status(ctx)
}

func (m *faultyMailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		for msg, err := range m.Mailbox.Messages(ctx, uids, q) {
			if !yield(msg, err) {
				return
			}
			if m.f.messages == errPanic {
				panic(errPanic)
			}
			if m.f.messages != nil {
				yield(mailparts.Message{}, m.f.messages)
				return
			}
		}
	}
}

func (m *faultyMailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	body, err := m.Mailbox.Body(ctx, uid)
	if err != nil || m.f.body == nil {
		return body, err
	}
	return m.f.body(body)
}

func (m *faultyMailbox) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	if m.f.expunge != nil {
		if err := m.f.expunge(uids); err != nil {
			return err
		}
	}
	return m.Mailbox.Expunge(ctx, uids, having)
}

// startFaulty is start with f around the Backend.
func startFaulty(t testing.TB, f *faulty) *rig {
	t.Helper()
	return start(t, func(s *pop3.Server) {
		f.Backend = s.Backend
		s.Backend = f
	})
}

var (
	errDisk  = errors.New("secret path: input/output error")
	errPanic = errors.New("a bug in the store") // is thrown
)
