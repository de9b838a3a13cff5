package mailparts

import (
	"context"
	"errors"
)

// Mover is Copy and Expunge of each message in one step, within any quota. Of
// an error it tells with Copied what is in dst all the same: a message is in
// one of the two mailboxes at least, whatever happens. It answers
// ErrUnsupported, with nothing done, for a dst of another kind.
type Mover interface {
	Move(ctx context.Context, uids UIDSet, dst Mailbox) (Copied, error)
}

// Move moves by src's Mover, or else copies, which needs room for both, and
// then expunges of src exactly what was copied.
//
// Copied names what is in dst, with an error too: that of a failed Copy comes
// with nothing, that of a failed Expunge with all, of which some or all are
// still in src as well. An imap server then tells COPYUID before its NO
// (RFC 6851 section 4.3), and its client need not guess. Once something is
// copied the end of ctx does not keep Move from expunging it.
func Move(ctx context.Context, src Mailbox, uids UIDSet, dst Mailbox) (Copied, error) {
	if m, ok := src.(Mover); ok {
		if r, err := m.Move(ctx, uids, dst); !errors.Is(err, errors.ErrUnsupported) {
			return r, err
		}
	}
	c, err := Copy(ctx, src, uids, dst)
	if err != nil || len(c.From) == 0 {
		return c, err
	}
	return c, src.Expunge(context.WithoutCancel(ctx), c.From, "")
}
