package mailparts

import (
	"context"
	"errors"
)

// Namespaces are the prefixes below which a Store's names are not the user's
// own (RFC 2342), such as "Other Users/" and "Shared/": each ends in "/", and no
// name of the user's own begins with one, whatever the case of its letters. Nil:
// there are none.
//
// Below a prefix of Others come the owner's name and the mailbox's: alice's
// INBOX is "Other Users/alice/INBOX", and bob's Store lists it if alice lets him
// see it. It is the same mailbox under both names: numbers, flags and ids are
// equal, and no UIDVALIDITY repeats within what is one owner's.
type Namespaces struct {
	Others, Shared []string
}

// Namespacer is a Store that shows others' mailboxes. Its answer is the same for
// as long as the Store is in use.
type Namespacer interface {
	Namespaces(ctx context.Context) (Namespaces, error)
}

// NamespacesOf asks s, or returns none: all names are the user's own.
func NamespacesOf(ctx context.Context, s Store) (Namespaces, error) {
	if n, ok := s.(Namespacer); ok {
		if ns, err := n.Namespaces(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return ns, err
		}
	}
	return Namespaces{}, nil
}
