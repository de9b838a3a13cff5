package mailparts

import (
	"context"
	"errors"
)

// Subscriber keeps a set of names; they need not exist, and Delete and Rename
// leave it alone. ErrBadName is for names that no mailbox could have, to remove
// one that is not there is no error.
type Subscriber interface {
	Subscribed(ctx context.Context) ([]string, error)
	Subscribe(ctx context.Context, name string, on bool) error
}

// Subscribed asks s, or returns the names of all its mailboxes: where nobody can
// choose, a client that shows only what is subscribed shows everything.
func Subscribed(ctx context.Context, s Store) ([]string, error) {
	if sub, ok := s.(Subscriber); ok {
		if names, err := sub.Subscribed(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return names, err
		}
	}
	var names []string
	for info, err := range s.List(ctx) {
		if err != nil {
			return nil, err
		}
		if !info.NoSelect {
			names = append(names, info.Name)
		}
	}
	return names, nil
}

// Subscribe has s do it, or answers ErrUnsupported.
func Subscribe(ctx context.Context, s Store, name string, on bool) error {
	if sub, ok := s.(Subscriber); ok {
		return sub.Subscribe(ctx, name, on)
	}
	return errors.ErrUnsupported
}
