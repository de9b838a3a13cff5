package mailparts

import "context"

// Manager changes the set of mailboxes. Children are separate mailboxes: Delete
// leaves them, Rename takes them along and keeps every ID and UIDVALIDITY. After
// a crash each mailbox has exactly one of its two names. INBOX never comes
// here: imap renames it by Create and Move.
//
// The errors are ErrBadName, ErrExists, ErrNoMailbox, ErrPermission and
// ErrLimit. Create answers ErrUnsupported for a special use that it cannot
// keep, and makes nothing (RFC 6154 section 3: imap says USEATTR).
type Manager interface {
	Create(ctx context.Context, name string, use ...string) error
	Delete(ctx context.Context, name string) error
	Rename(ctx context.Context, from, to string) error
}
