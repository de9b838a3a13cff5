package mailparts

import (
	"context"
	"errors"
	"strings"
)

// Annotation is an entry of RFC 5464 and its value, any octets.
type Annotation struct {
	Entry string // see ValidEntry; stores yield it in lower case
	Value []byte // nil: none; empty is a value
}

// EntrySpecialUse is the entry that shows and sets MailboxInfo.Use, its value
// the uses with spaces between (RFC 6154 section 4).
const EntrySpecialUse = "/private/specialuse"

// Annotator keeps annotations of mailboxes and, under the name "", of the
// account. Entries compare without regard to ASCII case. "/private/..." is what
// one user sees, "/shared/..." what everyone sees who may read the mailbox, or
// of the account, who has one here. Manager.Delete removes those of the
// mailbox, Rename carries them along; neither a rename nor a change of an
// annotation changes the mailbox's numbers.
//
// [EntrySpecialUse] is another view of MailboxInfo.Use, not a second place for
// it: it shows what List shows, is there only if there is a use, and setting it
// is the one way to change the uses that Create gave. Whether two mailboxes may
// have one use is the store's: it may take it from the other. Where there is no
// Annotator imap does not offer that Create is given a use (RFC 6154 section 3).
type Annotator interface {
	// Annotations returns all annotations of a mailbox in ascending order of
	// their entries.
	Annotations(ctx context.Context, name string) ([]Annotation, error)

	// Annotate sets all that is given or, at an error, nothing; a nil Value
	// removes, also what is not there. ErrBadName: an entry is none by
	// ValidEntry. ErrLimit: too many or too large. ErrQuota: no room.
	// ErrPermission: an entry that the user may not set. ErrUnsupported: one
	// that nobody can set here, such as a special use that the store cannot
	// keep.
	Annotate(ctx context.Context, name string, set ...Annotation) error
}

// Annotations asks s, or answers ErrUnsupported: then imap does not advertise
// METADATA.
func Annotations(ctx context.Context, s Store, name string) ([]Annotation, error) {
	if a, ok := s.(Annotator); ok {
		return a.Annotations(ctx, name)
	}
	return nil, errors.ErrUnsupported
}

// Annotate has s do it, or answers ErrUnsupported.
func Annotate(ctx context.Context, s Store, name string, set ...Annotation) error {
	if a, ok := s.(Annotator); ok {
		return a.Annotate(ctx, name, set...)
	}
	return errors.ErrUnsupported
}

// ValidEntry reports whether an annotation can have this name: "/private/" or
// "/shared/" and then parts of printable US-ASCII but "*" and "%", none of them
// empty (RFC 5464 section 3.2).
func ValidEntry(entry string) bool {
	if strings.ContainsFunc(entry, func(r rune) bool { return r < ' ' || r > '~' || r == '*' || r == '%' }) {
		return false
	}
	lower := strings.ToLower(entry)
	return (strings.HasPrefix(lower, "/private/") || strings.HasPrefix(lower, "/shared/")) &&
		!strings.Contains(entry, "//") && !strings.HasSuffix(entry, "/")
}
