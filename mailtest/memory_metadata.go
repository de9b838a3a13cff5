package mailtest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// annotations are values by their entries in lower case.
type annotations map[string][]byte

// set puts a value or, if it is nil, removes it.
func (a *annotations) set(entry string, value []byte) {
	if value == nil {
		delete(*a, entry)
		return
	}
	if *a == nil {
		*a = annotations{}
	}
	(*a)[entry] = append([]byte{}, value...)
}

// specialUses are those of RFC 6154 section 2 and RFC 8457.
var specialUses = []string{`\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Important`, `\Junk`, `\Sent`, `\Trash`}

// knownUses reports whether all of use are special uses.
func knownUses(use []string) bool {
	return !slices.ContainsFunc(use, func(u string) bool { return !slices.Contains(specialUses, u) })
}

// Annotations of the account are the user's private ones.
func (s *memoryStore) Annotations(_ context.Context, name string) (all []mailparts.Annotation, err error) {
	err = s.memory.update(func() error {
		have := annotations{}
		if name == "" {
			maps.Copy(have, s.annotations)
		} else {
			b, err := s.annotated(name)
			if err != nil {
				return err
			}
			maps.Copy(have, b.shared)
			maps.Copy(have, b.private[s.user])
			if len(b.use) > 0 && b.store == s {
				have[mailparts.EntrySpecialUse] = []byte(strings.Join(b.use, " "))
			}
		}
		for _, entry := range slices.Sorted(maps.Keys(have)) {
			all = append(all, mailparts.Annotation{Entry: entry, Value: bytes.Clone(have[entry])})
		}
		return nil
	})
	return all, err
}

// annotated returns a mailbox whose annotations the user may see.
func (s *memoryStore) annotated(name string) (*memoryMailbox, error) {
	b, err := s.find(name, "l")
	if err == nil && !strings.ContainsAny(string(b.rights(s.user)), "rswip") {
		err = mailparts.ErrPermission
	}
	return b, err
}

// Annotate keeps values of any size. Nobody may set what all accounts share.
func (s *memoryStore) Annotate(_ context.Context, name string, set ...mailparts.Annotation) error {
	return s.memory.update(func() error {
		var b *memoryMailbox
		var err error
		if name != "" {
			b, err = s.annotated(name)
		}
		for _, a := range set {
			if err == nil {
				err = s.mayAnnotate(b, a)
			}
		}
		if err != nil {
			return err
		}
		for _, a := range set {
			s.annotate(b, strings.ToLower(a.Entry), a.Value)
		}
		s.touch()
		if b != nil {
			b.touch()
		}
		return nil
	})
}

// mayAnnotate says why not, if a cannot be set. Without b it is the account's.
func (s *memoryStore) mayAnnotate(b *memoryMailbox, a mailparts.Annotation) error {
	entry := strings.ToLower(a.Entry)
	shared := strings.HasPrefix(entry, "/shared/")
	switch {
	case !mailparts.ValidEntry(entry):
		return mailparts.ErrBadName
	case shared && (b == nil || !b.rights(s.user).Has("w")):
		return mailparts.ErrPermission
	case entry == mailparts.EntrySpecialUse && (b == nil || b.store != s):
		return mailparts.ErrPermission
	case entry == mailparts.EntrySpecialUse && !knownUses(strings.Fields(string(a.Value))):
		return errors.ErrUnsupported
	}
	return nil
}

func (s *memoryStore) annotate(b *memoryMailbox, entry string, value []byte) {
	switch {
	case b == nil:
		s.annotations.set(entry, value)
	case entry == mailparts.EntrySpecialUse:
		b.use = strings.Fields(string(value))
	case strings.HasPrefix(entry, "/shared/"):
		b.shared.set(entry, value)
	default:
		if b.private == nil {
			b.private = map[string]annotations{}
		}
		mine := b.private[s.user]
		mine.set(entry, value)
		b.private[s.user] = mine
	}
}
