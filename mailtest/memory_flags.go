package mailtest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

var systemFlags = []mailparts.Flag{
	mailparts.FlagSeen, mailparts.FlagAnswered, mailparts.FlagFlagged, mailparts.FlagDeleted, mailparts.FlagDraft,
}

// permanentFlags are those that mine allow of the system flags, the keywords in
// use, and leave for more.
func (b *memoryMailbox) permanentFlags(mine mailparts.Rights) []mailparts.Flag {
	return allowedFlags(mine, append(slices.Concat(systemFlags, slices.Sorted(maps.Values(b.keywords))), mailparts.FlagAny))
}

// SetFlags leaves alone, with its mod-sequence, a message whose flags are as
// wanted already. With nothing changed at is zero.
func (b memoryHandle) SetFlags(_ context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (at mailparts.ModSeq, stale mailparts.UIDSet, err error) {
	err = b.update("", func(mine mailparts.Rights) error {
		if !strings.ContainsAny(string(mine), "swt") || len(c.Flags) > 0 && len(allowedFlags(mine, c.Flags)) == 0 {
			return mailparts.ErrPermission
		}
		for m := range b.in(uids) {
			if c.UnchangedSince != 0 && m.modSeq > c.UnchangedSince {
				stale.Add(m.uid, m.uid)
				continue
			}
			flags := b.change(m.flags, c.Op, allowedFlags(mine, c.Flags))
			if c.Op == mailparts.ReplaceFlags {
				flags = b.change(flags, mailparts.AddFlags, without(m.flags, allowedFlags(mine, m.flags)))
			}
			if sameFlags(flags, m.flags) {
				continue
			}
			if at == 0 {
				b.highest++
				at = b.highest
			}
			b.count(m, -1)
			m.flags, m.modSeq = flags, at
			b.count(m, +1)
		}
		if at != 0 {
			b.touch()
		}
		return nil
	})
	return at, stale, err
}

// change returns a new slice: what becomes of old.
func (b *memoryMailbox) change(old []mailparts.Flag, op mailparts.FlagOp, flags []mailparts.Flag) []mailparts.Flag {
	var out []mailparts.Flag
	if op != mailparts.ReplaceFlags {
		out = slices.Clone(old)
	}
	for _, f := range flags {
		if op == mailparts.RemoveFlags {
			out = slices.DeleteFunc(out, func(g mailparts.Flag) bool { return foldFlag(f) == foldFlag(g) })
			continue
		}
		if f, ok := b.spell(f); ok && !hasFlag(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// spell returns f as the mailbox saw it first, or false if it keeps no such
// flag.
func (b *memoryMailbox) spell(f mailparts.Flag) (mailparts.Flag, bool) {
	folded := foldFlag(f)
	for _, s := range systemFlags {
		if folded == foldFlag(s) {
			return s, true
		}
	}
	if f == "" || f[0] == '\\' {
		return "", false
	}
	if first, ok := b.keywords[folded]; ok {
		return first, true
	}
	b.keywords[folded] = f
	return f, true
}

// without is what is in a and not in b.
func without(a, b []mailparts.Flag) []mailparts.Flag {
	return slices.DeleteFunc(slices.Clone(a), func(f mailparts.Flag) bool { return hasFlag(b, f) })
}

// sameFlags reports whether a and b are equal as sets.
func sameFlags(a, b []mailparts.Flag) bool {
	if len(a) != len(b) {
		return false
	}
	for _, f := range a {
		if !hasFlag(b, f) {
			return false
		}
	}
	return true
}

// hasFlag compares without regard to ASCII case.
func hasFlag(flags []mailparts.Flag, f mailparts.Flag) bool {
	folded := foldFlag(f)
	return slices.ContainsFunc(flags, func(g mailparts.Flag) bool { return foldFlag(g) == folded })
}

// foldFlag is f in ASCII lower case; other letters keep theirs.
func foldFlag(f mailparts.Flag) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, string(f))
}
