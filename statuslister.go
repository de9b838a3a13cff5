package mailparts

import (
	"context"
	"errors"
	"iter"
)

// StatusLister is List with every Status filled in, at about the cost of List.
// What is NoSelect, or may not be read (see ACLer), has none.
type StatusLister interface {
	ListStatus(ctx context.Context) iter.Seq2[MailboxInfo, error]
}

// ListStatus asks s, or asks each mailbox of List for its Status; a mailbox that
// vanishes meanwhile is left out.
func ListStatus(ctx context.Context, s Store) iter.Seq2[MailboxInfo, error] {
	return func(yield func(MailboxInfo, error) bool) {
		if l, ok := s.(StatusLister); ok {
			supported := true
			for info, err := range l.ListStatus(ctx) {
				if supported = !errors.Is(err, errors.ErrUnsupported); !supported {
					break
				}
				if !yield(info, err) {
					return
				}
			}
			if supported {
				return
			}
		}
		for info, err := range s.List(ctx) {
			if err == nil && !info.NoSelect {
				info.Status, err = statusOf(ctx, s, info.Name)
			}
			if errors.Is(err, ErrNoMailbox) {
				continue
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// statusOf is nil for a mailbox that the user may see but not read.
func statusOf(ctx context.Context, s Store, name string) (*Status, error) {
	mb, err := s.Mailbox(ctx, name)
	if err != nil {
		return nil, err
	}
	st, err := mb.Status(ctx)
	if errors.Is(err, ErrPermission) {
		return nil, nil
	}
	return &st, err
}
