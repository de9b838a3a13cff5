package mailparts

import (
	"context"
	"errors"
	"strings"
)

// Rights are rights to a mailbox, a set of the letters of [AllRights]. The
// letters "c" and "d" of RFC 2086 are for clients: imap translates them.
type Rights string

// AllRights are the rights of RFC 4314 section 2.1, in the order in which stores
// yield them: lookup, read, keep \Seen, write other flags, insert, post, create
// below (k), delete the mailbox (x), set \Deleted (t), expunge, administer.
const AllRights Rights = "lrswipkxtea"

// Has reports whether r has all of want.
func (r Rights) Has(want Rights) bool {
	return !strings.ContainsFunc(string(want), func(c rune) bool { return !strings.ContainsRune(string(r), c) })
}

// Sorted returns those letters of r that are rights, each once, in the order of
// AllRights.
func (r Rights) Sorted() Rights {
	return Rights(strings.Map(func(c rune) rune {
		if strings.ContainsRune(string(r), c) {
			return c
		}
		return -1
	}, string(AllRights)))
}

// ACLEntry says what rights an identifier has.
type ACLEntry struct {
	Identifier string // a user of the Backend or "anyone"; with "-" before it, who lacks the rights
	Rights     Rights
}

// ACLer keeps access control lists (RFC 4314). What a store enforces, it does
// at every call, of handles opened before too, as section 4 has it:
//
//	List yields a mailbox     l
//	Mailbox                   any; to who has none of "lrikxa": ErrNoMailbox
//	Status, Messages, Body    r
//	Append, Copy to           i; flags that need s, w or t are left out without it
//	SetFlags                  s for \Seen, t for \Deleted, w for others; flags without are left alone
//	Expunge, Move from        e, to Move t too
//	Create                    k on the nearest parent that exists, whose list it inherits
//	Delete                    x
//	Rename                    x, and k on the nearest parent of the new name
//	Annotations               l and any of "rswip"; to set "/shared/...", w too
//	Quota                     r
//	ACL, SetACL               a
//	MyRights                  any
//
// Without the right the answer is ErrPermission, or ErrNoMailbox to who has none
// of "lrikxa". Status.PermanentFlags names what the user may set, and who has
// none of "swite" finds Status.ReadOnly. A user has k where no parent exists in
// his own mailboxes, and cannot lose "l" and "a" of them. Delete removes a
// mailbox's list, Rename carries it along.
type ACLer interface {
	// ACL returns the list of a mailbox, each identifier once. Who owns it has
	// an entry.
	ACL(ctx context.Context, name string) ([]ACLEntry, error)

	// SetACL gives identifier these rights and no others; the empty Rights
	// delete its entry. ErrUnsupported: a letter that is no right here.
	// ErrBadName: an identifier that cannot be, such as one with "-" where none
	// can lack rights. ErrLimit: too many.
	SetACL(ctx context.Context, name, identifier string, rights Rights) error

	// MyRights are those of the Store's user, through all identifiers that
	// stand for him.
	MyRights(ctx context.Context, name string) (Rights, error)
}

// ACL asks s, or answers ErrUnsupported: then imap does not advertise ACL.
func ACL(ctx context.Context, s Store, name string) ([]ACLEntry, error) {
	if a, ok := s.(ACLer); ok {
		return a.ACL(ctx, name)
	}
	return nil, errors.ErrUnsupported
}

// SetACL has s do it, or answers ErrUnsupported.
func SetACL(ctx context.Context, s Store, name, identifier string, rights Rights) error {
	if a, ok := s.(ACLer); ok {
		return a.SetACL(ctx, name, identifier, rights)
	}
	return errors.ErrUnsupported
}

// MyRights asks s, or returns AllRights for a mailbox that exists: where there
// are no lists, who sees a mailbox may do everything with it.
func MyRights(ctx context.Context, s Store, name string) (Rights, error) {
	if a, ok := s.(ACLer); ok {
		if r, err := a.MyRights(ctx, name); !errors.Is(err, errors.ErrUnsupported) {
			return r, err
		}
	}
	if _, err := s.Mailbox(ctx, name); err != nil {
		return "", err
	}
	return AllRights, nil
}
