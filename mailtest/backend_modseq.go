package mailtest

import (
	"slices"

	"github.com/mailparts/mailparts"
)

func modSeqPromises() []promise {
	return []promise{
		{"is raised by every change", modSeqRaised},
		{"of a message is never above the highest", modSeqBelowHighest},
		{"is one new number for all that SetFlags changes", modSeqOne},
		{"selects with Since what changed after it", modSeqSince},
		{"protects with UnchangedSince what changed after it", modSeqUnchangedSince},
		{"lets who follows it miss nothing", modSeqSync},
	}
}

func modSeqRaised(x *trial) {
	x.needModSeq()
	last := x.status(x.inbox).HighestModSeq
	check := func(what string) {
		x.Helper()
		now := x.status(x.inbox).HighestModSeq
		if now <= last {
			x.Errorf("%s: HighestModSeq is %d, was %d, want it raised", what, now, last)
		}
		last = now
	}
	uids := x.addTexts(x.inbox, "a", "b")
	check("Append")
	x.setFlags(x.inbox, set(uids[0]), mailparts.AddFlags, mailparts.FlagSeen)
	check("a flag added")
	x.setFlags(x.inbox, set(uids[0]), mailparts.RemoveFlags, mailparts.FlagSeen)
	check("a flag removed")
	x.expunge(x.inbox, set(uids[0]), "")
	check("Expunge")
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	check("Expunge of the last message")
	x.addTexts(x.inbox, "c")
	check("Append after it")
}

func modSeqBelowHighest(x *trial) {
	x.needModSeq()
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, mailparts.FlagSeen)
	x.expunge(x.inbox, set(uids[2]), "")
	highest := x.status(x.inbox).HighestModSeq
	for _, m := range x.all(x.inbox) {
		if m.ModSeq == 0 || m.ModSeq > highest {
			x.Errorf("UID %d has the mod-sequence %d, want one from 1 to HighestModSeq %d", m.UID, m.ModSeq, highest)
		}
	}
}

func modSeqOne(x *trial) {
	x.needModSeq()
	uids := x.addTexts(x.inbox, "a", "b", "c")
	before := x.status(x.inbox).HighestModSeq
	untouched := x.message(x.inbox, uids[1]).ModSeq
	at := x.setFlags(x.inbox, set(uids[0], uids[2]), mailparts.AddFlags, mailparts.FlagSeen)
	if at <= before {
		x.Errorf("SetFlags returned the mod-sequence %d, want one above %d", at, before)
	}
	for i, want := range []mailparts.ModSeq{at, untouched, at} {
		if got := x.message(x.inbox, uids[i]).ModSeq; got != want {
			x.Errorf("SetFlags returned %d: message %d has the mod-sequence %d, want %d", at, i, got, want)
		}
	}
}

func modSeqSince(x *trial) {
	x.needModSeq()
	uids := x.addTexts(x.inbox, "a", "b", "c")
	start := x.status(x.inbox).HighestModSeq
	first := x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, mailparts.FlagSeen)
	fourth := x.addTexts(x.inbox, "d")[0]
	for _, c := range []struct {
		since mailparts.ModSeq
		want  []mailparts.UID
	}{
		{0, []mailparts.UID{uids[0], uids[1], uids[2], fourth}},
		{start, []mailparts.UID{uids[1], fourth}},
		{first, []mailparts.UID{fourth}},
		{x.status(x.inbox).HighestModSeq, nil},
	} {
		var got []mailparts.UID
		for _, m := range x.query(x.inbox, mailparts.AllUIDs(), mailparts.Query{Since: c.since}) {
			got = append(got, m.UID)
		}
		if !slices.Equal(got, c.want) {
			x.Errorf("Messages since %d yields %v, want %v", c.since, got, c.want)
		}
	}
}

func modSeqUnchangedSince(x *trial) {
	x.needModSeq()
	x.needFlags(mailparts.FlagFlagged, mailparts.FlagSeen)
	uids := x.addTexts(x.inbox, "a", "b", "c")
	base := x.status(x.inbox).HighestModSeq
	theirs := x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, mailparts.FlagFlagged)
	at, stale, err := x.inbox.SetFlags(x.Context(), mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}, UnchangedSince: base})
	x.must("SetFlags", err)
	if want := set(uids[1]); !slices.Equal(stale, want) {
		x.Errorf("SetFlags unless changed since %d: stale UIDs %v, want %v", base, stale, want)
	}
	x.wantFlags("changed before", x.inbox, uids[0], mailparts.FlagSeen)
	x.wantFlags("changed after", x.inbox, uids[1], mailparts.FlagFlagged)
	x.wantFlags("changed before", x.inbox, uids[2], mailparts.FlagSeen)
	if got := x.message(x.inbox, uids[1]).ModSeq; got != theirs {
		x.Errorf("the stale message has the mod-sequence %d, want %d as before", got, theirs)
	}
	_, stale, err = x.inbox.SetFlags(x.Context(), set(uids[0]), mailparts.FlagChange{Op: mailparts.RemoveFlags, Flags: []mailparts.Flag{mailparts.FlagSeen}, UnchangedSince: at})
	x.must("SetFlags", err)
	if len(stale) > 0 {
		x.Errorf("SetFlags unless changed since %d, where it was changed at %d: stale UIDs %v, want none", at, at, stale)
	}
	x.wantFlags("changed at the mod-sequence of the condition", x.inbox, uids[0])
}
