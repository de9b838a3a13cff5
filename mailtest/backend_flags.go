package mailtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

func flagPromises() []promise {
	return []promise{
		{"are added, removed and replaced", flagsOps},
		{"are compared without regard to ASCII case", flagsCase},
		{"are yielded in the spelling seen first", flagsSpelling},
		{"are each there once", flagsOnce},
		{"are skipped for messages that do not exist", flagsMissing},
		{"are changed nowhere by an empty set", flagsEmptySet},
		{"are changed everywhere by AllUIDs", flagsAll},
		{"never include Recent", flagsRecent},
		{"keep what other sessions set", flagsTwoHandles},
		{"take keywords up to ErrLimit", flagsKeywords},
		{"beyond ErrLimit are set all or none", flagsKeywordsAtOnce},
		{"beyond ErrLimit refuse a message before it is read", flagsKeywordsAppended},
	}
}

func flagsOps(x *trial) {
	const s, f, d = mailparts.FlagSeen, mailparts.FlagFlagged, mailparts.FlagDeleted
	x.needFlags(s, f, d)
	uid := x.addTexts(x.inbox, "m")[0]
	x.wantFlags("after Append without any", x.inbox, uid)
	for _, c := range []struct {
		what  string
		op    mailparts.FlagOp
		flags []mailparts.Flag
		want  []mailparts.Flag
	}{
		{"add one", mailparts.AddFlags, []mailparts.Flag{s}, []mailparts.Flag{s}},
		{"add two, one of them there", mailparts.AddFlags, []mailparts.Flag{f, s}, []mailparts.Flag{s, f}},
		{"add none", mailparts.AddFlags, nil, []mailparts.Flag{s, f}},
		{"remove one that is not there", mailparts.RemoveFlags, []mailparts.Flag{d}, []mailparts.Flag{s, f}},
		{"remove none", mailparts.RemoveFlags, nil, []mailparts.Flag{s, f}},
		{"remove one", mailparts.RemoveFlags, []mailparts.Flag{s}, []mailparts.Flag{f}},
		{"replace", mailparts.ReplaceFlags, []mailparts.Flag{d, s}, []mailparts.Flag{d, s}},
		{"replace by the same", mailparts.ReplaceFlags, []mailparts.Flag{s, d}, []mailparts.Flag{d, s}},
		{"replace by none", mailparts.ReplaceFlags, nil, nil},
	} {
		x.setFlags(x.inbox, set(uid), c.op, c.flags...)
		x.wantFlags(c.what, x.inbox, uid, c.want...)
	}
}

func flagsCase(x *trial) {
	x.needFlags(mailparts.FlagSeen)
	uid := x.addTexts(x.inbox, "m")[0]
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, `\sEEN`)
	if got, want := x.message(x.inbox, uid).Flags, []mailparts.Flag{mailparts.FlagSeen}; !slices.Equal(got, want) {
		x.Errorf(`\sEEN added: the flags are %v, want %v`, got, want)
	}
	x.setFlags(x.inbox, set(uid), mailparts.RemoveFlags, `\SEEN`)
	x.wantFlags(`\SEEN removed`, x.inbox, uid)
	if !x.keeps("Work") {
		return
	}
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, "Work")
	x.setFlags(x.inbox, set(uid), mailparts.RemoveFlags, "wORK")
	x.wantFlags("Work added and wORK removed", x.inbox, uid)
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, "Work")
	x.expunge(x.inbox, set(uid), "WORK")
	x.wantUIDs("Expunge of those with WORK", x.inbox)
}

func flagsSpelling(x *trial) {
	x.needFlags("Work")
	uids := x.addTexts(x.inbox, "a", "b")
	x.setFlags(x.inbox, set(uids[0]), mailparts.AddFlags, "WoRk")
	x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, "work")
	in := text("c")
	in.Flags = []mailparts.Flag{"WORK"}
	uids = append(uids, x.add(x.inbox, in)...)
	for _, u := range uids {
		if got, want := x.message(x.inbox, u).Flags, []mailparts.Flag{"WoRk"}; !slices.Equal(got, want) {
			x.Errorf("UID %d has the flags %v, want the spelling seen first, %v", u, got, want)
		}
	}
}

func flagsOnce(x *trial) {
	x.needFlags(mailparts.FlagSeen)
	in := text("m")
	in.Flags = []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagSeen, `\seen`}
	uid := x.add(x.inbox, in)[0]
	want := []mailparts.Flag{mailparts.FlagSeen}
	if got := x.message(x.inbox, uid).Flags; !slices.Equal(got, want) {
		x.Errorf("appended with %v: the flags are %v, want %v", in.Flags, got, want)
	}
	for _, op := range []mailparts.FlagOp{mailparts.AddFlags, mailparts.ReplaceFlags} {
		x.setFlags(x.inbox, set(uid), op, in.Flags...)
		if got := x.message(x.inbox, uid).Flags; !slices.Equal(got, want) {
			x.Errorf("SetFlags with %v: the flags are %v, want %v", in.Flags, got, want)
		}
	}
}

func flagsMissing(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[1]), "")
	x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, mailparts.FlagFlagged)
	x.wantUIDs("flags set on an expunged UID", x.inbox, uids[0], uids[2])
	x.setFlags(x.inbox, mailparts.UIDSet{{First: uids[1], Last: uids[2] + 100}}, mailparts.AddFlags, mailparts.FlagSeen)
	x.wantFlags("not in the set", x.inbox, uids[0])
	x.wantFlags("in a set with UIDs that do not exist", x.inbox, uids[2], mailparts.FlagSeen)
}

func flagsEmptySet(x *trial) {
	uid := x.addTexts(x.inbox, "m")[0]
	for _, s := range []mailparts.UIDSet{nil, {}} {
		x.setFlags(x.inbox, s, mailparts.AddFlags, mailparts.FlagDeleted)
		x.wantFlags("SetFlags of an empty set", x.inbox, uid)
	}
}

func flagsAll(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[0]), "")
	x.setFlags(x.inbox, mailparts.AllUIDs(), mailparts.AddFlags, mailparts.FlagSeen)
	for _, u := range uids[1:] {
		x.wantFlags("SetFlags of AllUIDs", x.inbox, u, mailparts.FlagSeen)
	}
}

func flagsRecent(x *trial) {
	in := text("m")
	in.Flags = []mailparts.Flag{`\Recent`, mailparts.FlagSeen}
	uid := x.add(x.inbox, in)[0]
	x.wantFlags(`appended with \Recent`, x.inbox, uid, mailparts.FlagSeen)
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, `\Recent`)
	x.wantFlags(`\Recent added`, x.inbox, uid, mailparts.FlagSeen)
}

func flagsTwoHandles(x *trial) {
	x.needFlags(mailparts.FlagSeen, mailparts.FlagFlagged)
	uid := x.addTexts(x.inbox, "m")[0]
	again := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, mailparts.FlagSeen)
	x.setFlags(again, set(uid), mailparts.AddFlags, mailparts.FlagFlagged)
	x.wantFlags("each of two handles added one", x.inbox, uid, mailparts.FlagSeen, mailparts.FlagFlagged)
	x.wantFlags("each of two handles added one", again, uid, mailparts.FlagSeen, mailparts.FlagFlagged)
}

// flagsKeywords adds more keywords than the 26 that a Maildir file name has
// room for, and than the 64 or so that some programs have.
func flagsKeywords(x *trial) {
	x.needFlags("$Forwarded")
	uid := x.addTexts(x.inbox, "m")[0]
	want := []mailparts.Flag{"$Forwarded", "$MDNSent", "NonJunk", "Work", "_x-y.z+1"}
	for i := range 100 {
		want = append(want, mailparts.Flag(fmt.Sprintf("keyword%d", i)))
	}
	want = append(want, mailparts.Flag(strings.Repeat("k", 100)))
	for i, f := range want {
		_, _, err := x.inbox.SetFlags(x.Context(), set(uid), mailparts.FlagChange{Flags: []mailparts.Flag{f}})
		if err == nil {
			continue
		}
		x.wantError(fmt.Sprintf("keyword number %d, %s", i+1, f), err, mailparts.ErrLimit)
		want = want[:i]
		break
	}
	x.wantFlags(fmt.Sprintf("%d keywords added one by one", len(want)), x.inbox, uid, want...)
	x.setFlags(x.inbox, set(uid), mailparts.RemoveFlags, want[1:]...)
	x.wantFlags("all keywords removed but the first", x.inbox, uid, want[0])
}

func flagsKeywordsAppended(x *trial) {
	x.needFlags("$Forwarded")
	in, read := text("m"), false
	in.Body = readFunc("m", func() { read = true })
	for i := range 40 {
		in.Flags = append(in.Flags, mailparts.Flag(fmt.Sprintf("keyword%d", i)))
	}
	placed, err := mailparts.Append(x.Context(), x.inbox, in)
	if err == nil {
		x.wantFlags("appended with 40 keywords", x.inbox, each(placed.UIDs)[0], in.Flags...)
		return
	}
	x.wantError("Append with 40 keywords", err, mailparts.ErrLimit)
	x.wantUIDs("after that", x.inbox)
	if read {
		x.Errorf("Append with 40 keywords read the body before it refused it")
	}
}

func flagsKeywordsAtOnce(x *trial) {
	x.needFlags("$Forwarded", mailparts.FlagSeen)
	uids := x.addTexts(x.inbox, "a", "b")
	x.setFlags(x.inbox, set(uids...), mailparts.AddFlags, "$Forwarded")
	before := x.status(x.inbox).HighestModSeq
	want := []mailparts.Flag{mailparts.FlagSeen, "$Forwarded"}
	for i := range 120 {
		want = append(want, mailparts.Flag(fmt.Sprintf("keyword%d", i)))
	}
	_, _, err := x.inbox.SetFlags(x.Context(), set(uids...), mailparts.FlagChange{Flags: want})
	if err != nil {
		x.wantError("SetFlags with 120 keywords", err, mailparts.ErrLimit)
		want = []mailparts.Flag{"$Forwarded"}
		if after := x.status(x.inbox).HighestModSeq; after != before {
			x.Errorf("SetFlags that changed nothing raised HighestModSeq from %d to %d", before, after)
		}
	}
	for _, u := range uids {
		x.wantFlags("SetFlags with 120 keywords", x.inbox, u, want...)
	}
}
