package mailtest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

func usePromises() []promise {
	return []promise{
		{"is kept or refused with ErrUnsupported, and then nothing is made", useCreate},
		{"that is none is refused or kept as it is", useUnknown},
		{"survives a rename", useRename},
	}
}

func useCreate(x *trial) {
	m := x.manager()
	for _, use := range [][]string{{`\Sent`}, {`\Drafts`, `\Trash`}} {
		name := "for " + use[0][1:]
		err := m.Create(x.Context(), name, use...)
		if err == nil {
			if got := x.info(name).Use; !sameStrings(got, use) {
				x.Errorf("made for %q, List says %q", use, got)
			}
			continue
		}
		x.wantError(fmt.Sprintf("Create for %q", use), err, errors.ErrUnsupported)
		_, err = x.store.Mailbox(x.Context(), name)
		x.wantError("Mailbox of what Create refused", err, mailparts.ErrNoMailbox)
	}
}

func useUnknown(x *trial) {
	m := x.manager()
	err := m.Create(x.Context(), "odd", `\Nonsense`)
	if err == nil {
		if got := x.info("odd").Use; !slices.Equal(got, []string{`\Nonsense`}) {
			x.Errorf(`made for \Nonsense, List says %q`, got)
		}
		return
	}
	x.wantError(`Create for \Nonsense`, err, errors.ErrUnsupported)
	x.wantNames("after that")
}

func useRename(x *trial) {
	m := x.manager()
	x.mustDo("Create with a special use", m.Create(x.Context(), "Sent mail", `\Sent`))
	x.mustDo("Rename", m.Rename(x.Context(), "Sent mail", "Gesendet"))
	if got := x.info("Gesendet").Use; !slices.Equal(got, []string{`\Sent`}) {
		x.Errorf(`after Rename List says the uses are %q, want \Sent`, got)
	}
}

// sameStrings compares as sets.
func sameStrings(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func metadataPromises() []promise {
	return []promise{
		{"is kept octet by octet, and removed by nil", metadataKeeps},
		{"has entries without regard to ASCII case", metadataCase},
		{"of the account is apart from that of mailboxes", metadataAccount},
		{"is set as a whole or not at all", metadataAll},
		{"goes with its mailbox", metadataManager},
		{"of a mailbox that does not exist is ErrNoMailbox", metadataMissing},
		{"changes no number of the mailbox", metadataNumbers},
		{"that is private is one user's own", metadataPrivate},
		{"of any size is kept or refused", metadataLarge},
		{"shows and sets the special use", metadataUse},
	}
}

// annotate sets annotations of which the pairs are entry and value, or skips the
// trial.
func (x *trial) annotate(name string, pairs ...string) {
	x.Helper()
	x.mustDo("Annotate", mailparts.Annotate(x.Context(), x.store, name, pairsOf(pairs...)...))
}

func pairsOf(pairs ...string) (all []mailparts.Annotation) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, mailparts.Annotation{Entry: pairs[i], Value: []byte(pairs[i+1])})
	}
	return all
}

// wantAnnotations checks all annotations but the special use.
func (x *trial) wantAnnotations(what string, s mailparts.Store, name string, pairs ...string) {
	x.Helper()
	got, err := mailparts.Annotations(x.Context(), s, name)
	x.must("Annotations", err)
	got = slices.DeleteFunc(got, func(a mailparts.Annotation) bool { return a.Entry == mailparts.EntrySpecialUse })
	want := pairsOf(pairs...)
	if !slices.EqualFunc(got, want, func(a, b mailparts.Annotation) bool {
		return a.Entry == b.Entry && bytes.Equal(a.Value, b.Value) && a.Value != nil
	}) {
		x.Errorf("%s: the annotations of %q are %q, want %q", what, name, got, want)
	}
}

func metadataKeeps(x *trial) {
	x.annotate("INBOX", "/private/comment", "my own", "/shared/vendor/x/\"y\"", "\x00\r\n\n\xff", "/private/empty", "")
	x.wantAnnotations("as set", x.store, "INBOX", "/private/comment", "my own", "/private/empty", "", "/shared/vendor/x/\"y\"", "\x00\r\n\n\xff")
	x.annotate("INBOX", "/private/comment", "another")
	x.must("removing", mailparts.Annotate(x.Context(), x.store, "INBOX", mailparts.Annotation{Entry: "/private/empty"}, mailparts.Annotation{Entry: "/private/never"}))
	x.wantAnnotations("after two were removed, one of which was not there", x.store, "INBOX", "/private/comment", "another", "/shared/vendor/x/\"y\"", "\x00\r\n\n\xff")
	x.wantAnnotations("another Open", x.open(x.kit.Users[0]), "INBOX", "/private/comment", "another", "/shared/vendor/x/\"y\"", "\x00\r\n\n\xff")
}

func metadataCase(x *trial) {
	x.annotate("INBOX", "/PRIVATE/Comment", "a", "/shared/B", "b")
	x.wantAnnotations("as set", x.store, "INBOX", "/private/comment", "a", "/shared/b", "b")
	x.annotate("INBOX", "/private/COMMENT", "c")
	x.must("removing", mailparts.Annotate(x.Context(), x.store, "INBOX", mailparts.Annotation{Entry: "/Shared/B"}))
	x.wantAnnotations("after one was set and one removed", x.store, "INBOX", "/private/comment", "c")
}

func metadataAccount(x *trial) {
	x.annotate("", "/private/a", "of the account")
	x.annotate("INBOX", "/private/a", "of INBOX")
	x.wantAnnotations("the account", x.store, "", "/private/a", "of the account")
	x.wantAnnotations("INBOX", x.store, "INBOX", "/private/a", "of INBOX")
	x.wantAnnotations("another user's account", x.open(x.kit.Users[1]), "")
	if err := mailparts.Annotate(x.Context(), x.store, "", pairsOf("/shared/comment", "for everyone")...); err != nil {
		x.wantError("Annotate what is everyone's", err, mailparts.ErrPermission)
		x.wantAnnotations("the account, after that", x.store, "", "/private/a", "of the account")
	}
}

func metadataAll(x *trial) {
	x.annotate("INBOX", "/private/a", "before")
	for _, bad := range []string{
		"", "/", "/private", "/private/", "/shared//a", "/shared/a/", "/other/a", "private/a", "/private/a*", "/private/%", "/private/é", "/private/a\x00", "/private/a\n", "/../a",
	} {
		err := mailparts.Annotate(x.Context(), x.store, "INBOX", pairsOf("/private/a", "after", "/shared/b", "new", bad, "x", "/private/c", "new")...)
		x.wantError("Annotate with the entry "+quoted(bad), err, mailparts.ErrBadName)
		x.wantAnnotations("after that", x.store, "INBOX", "/private/a", "before")
	}
}

func metadataManager(x *trial) {
	m := x.manager()
	x.annotate("INBOX")
	x.create(m, "a", "a/b")
	x.annotate("a", "/private/x", "of a", "/shared/x", "of a")
	x.annotate("a/b", "/private/x", "of a/b")
	x.mustDo("Rename", m.Rename(x.Context(), "a", "c"))
	x.wantAnnotations("renamed", x.store, "c", "/private/x", "of a", "/shared/x", "of a")
	x.wantAnnotations("a child of what was renamed", x.store, "c/b", "/private/x", "of a/b")
	x.create(m, "a")
	x.wantAnnotations("a new mailbox of the old name", x.store, "a")
	x.must("Delete", m.Delete(x.Context(), "c"))
	x.wantAnnotations("a child of what was deleted", x.store, "c/b", "/private/x", "of a/b")
	x.create(m, "c")
	x.wantAnnotations("a new mailbox of a deleted one's name", x.store, "c")
}

func metadataMissing(x *trial) {
	x.annotate("INBOX")
	_, err := mailparts.Annotations(x.Context(), x.store, "never made")
	x.wantError("Annotations of no mailbox", err, mailparts.ErrNoMailbox)
	x.wantError("Annotate of no mailbox", mailparts.Annotate(x.Context(), x.store, "never made", pairsOf("/private/a", "b")...), mailparts.ErrNoMailbox)
	for _, name := range []string{"..", "../" + x.kit.Users[1], "a\x00b", "/"} {
		err := mailparts.Annotate(x.Context(), x.store, name, pairsOf("/private/a", "b")...)
		x.wantError("Annotate of "+quoted(name), err, mailparts.ErrNoMailbox, mailparts.ErrBadName)
	}
}

func metadataNumbers(x *trial) {
	x.addTexts(x.inbox, "m")
	before := x.status(x.inbox)
	x.annotate("INBOX", "/private/a", "b", "/shared/a", "b")
	after := x.status(x.inbox)
	if after.HighestModSeq != before.HighestModSeq || after.UIDNext != before.UIDNext || after.UIDValidity != before.UIDValidity || after.Messages != 1 {
		x.Errorf("after Annotate Status is %+v, was %+v", after, before)
	}
}

func metadataPrivate(x *trial) {
	theirs := x.share("INBOX", "lr")
	x.annotate("INBOX", "/private/a", "mine", "/shared/a", "ours")
	x.wantAnnotations("another user", x.their(), theirs, "/shared/a", "ours")
	x.must("Annotate by another user", mailparts.Annotate(x.Context(), x.their(), theirs, pairsOf("/private/a", "yours")...))
	x.wantError("Annotate what is shared by another user, who may not write",
		mailparts.Annotate(x.Context(), x.their(), theirs, pairsOf("/private/b", "b", "/shared/a", "yours")...), mailparts.ErrPermission)
	x.wantAnnotations("the owner", x.store, "INBOX", "/private/a", "mine", "/shared/a", "ours")
	x.wantAnnotations("another user", x.their(), theirs, "/private/a", "yours", "/shared/a", "ours")
}

func metadataLarge(x *trial) {
	x.annotate("INBOX", "/private/a", "before")
	for _, size := range []int{1000, 100_000, 3_000_000} {
		large := strings.Repeat("x", size)
		err := mailparts.Annotate(x.Context(), x.store, "INBOX", pairsOf("/private/a", "before", "/private/b", large)...)
		if err != nil {
			x.wantError(fmt.Sprintf("Annotate with %d octets", size), err, mailparts.ErrLimit, mailparts.ErrQuota)
			x.must("removing", mailparts.Annotate(x.Context(), x.store, "INBOX", mailparts.Annotation{Entry: "/private/b"}))
			x.wantAnnotations("after that", x.store, "INBOX", "/private/a", "before")
			return
		}
		if got, err := mailparts.Annotations(x.Context(), x.store, "INBOX"); err != nil || len(got) != 2 || string(got[1].Value) != large {
			x.Fatalf("an annotation of %d octets did not come back, %v", size, err)
		}
	}
}

func metadataUse(x *trial) {
	m := x.manager()
	use := func() string {
		all, err := mailparts.Annotations(x.Context(), x.store, "a")
		x.mustDo("Annotations", err)
		for _, a := range all {
			if a.Entry == mailparts.EntrySpecialUse {
				return string(a.Value)
			}
		}
		return ""
	}
	x.mustDo("Create", m.Create(x.Context(), "a", `\Sent`))
	if got := use(); got != `\Sent` {
		x.Errorf(`made for \Sent, the annotation says %q`, got)
	}
	x.annotate("a", "/PRIVATE/SpecialUse", `\Drafts \Junk`)
	if got := x.info("a").Use; !sameStrings(got, []string{`\Drafts`, `\Junk`}) {
		x.Errorf(`set to \Drafts \Junk, List says %q`, got)
	}
	if err := mailparts.Annotate(x.Context(), x.store, "a", pairsOf("/private/b", "b", mailparts.EntrySpecialUse, `\Nonsense`)...); err != nil {
		x.wantError(`Annotate with \Nonsense`, err, errors.ErrUnsupported)
		x.wantAnnotations("after that", x.store, "a")
	}
	x.must("removing", mailparts.Annotate(x.Context(), x.store, "a", mailparts.Annotation{Entry: mailparts.EntrySpecialUse}))
	if got := use(); got != "" || len(x.info("a").Use) > 0 {
		x.Errorf("removed, the annotation says %q and List %q", got, x.info("a").Use)
	}
}
