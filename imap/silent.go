package imap

import (
	"context"
	"slices"

	"github.com/mailparts/mailparts"
)

// foresee expects of messages whose flags the client knows what it makes of them. Whatever
// comes out different compare finds.
func (b *selected) foresee(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) error {
	for m, err := range b.mb.Messages(ctx, uids, mailparts.Query{}) {
		if err != nil {
			return err
		}
		if b.prints[m.UID] == fingerprint(m.Flags) {
			b.prints[m.UID] = fingerprint(changed(m.Flags, c))
		}
	}
	return nil
}

// changed is flags after a change.
func changed(flags []mailparts.Flag, c mailparts.FlagChange) (after []mailparts.Flag) {
	if c.Op != mailparts.ReplaceFlags {
		after = slices.DeleteFunc(slices.Clone(flags), func(f mailparts.Flag) bool { return hasFlag(c.Flags, f) })
	}
	if c.Op != mailparts.RemoveFlags {
		for _, f := range c.Flags {
			if !hasFlag(after, f) {
				after = append(after, f)
			}
		}
	}
	return after
}

// tell notes that the client is told the flags of m.
func (b *selected) tell(m *mailparts.Message) {
	if b.prints != nil {
		b.prints[m.UID] = fingerprint(m.Flags)
	}
}
