package mailtest

import "github.com/mailparts/mailparts"

func statusPromises() []promise {
	return []promise{
		{"of a new mailbox is empty", statusEmpty},
		{"counts what is there", statusCounts},
		{"is not changed by asking", statusUnchanged},
		{"names the flags that are kept", statusPermanentFlags},
	}
}

func statusEmpty(x *trial) {
	st := x.status(x.inbox)
	if st.Messages != 0 || st.UIDNext == 0 || st.FirstRecent != 0 {
		x.Errorf("a new INBOX has %d messages, UIDNext %d, FirstRecent %d, want none, at least 1, and 0", st.Messages, st.UIDNext, st.FirstRecent)
	}
	if st.Counts != nil && *st.Counts != (mailparts.Counts{}) {
		x.Errorf("a new INBOX has counts %+v, want zeros", *st.Counts)
	}
	if st.ReadOnly {
		x.Errorf("a new INBOX is read-only: the kit needs one that it may change")
	}
	x.wantUIDs("a new INBOX", x.inbox)
}

func statusCounts(x *trial) {
	uids := x.addTexts(x.inbox, "one\r\n", "two\n", "three", "")
	x.checkCounts("after Append")
	x.setFlags(x.inbox, set(uids[:3]...), mailparts.AddFlags, mailparts.FlagDeleted)
	x.setFlags(x.inbox, set(uids[1:]...), mailparts.AddFlags, mailparts.FlagSeen)
	x.checkCounts("after SetFlags")
	x.setFlags(x.inbox, set(uids[0]), mailparts.RemoveFlags, mailparts.FlagDeleted)
	x.setFlags(x.inbox, set(uids[3]), mailparts.ReplaceFlags)
	x.checkCounts("after flags were removed")
	x.expunge(x.inbox, mailparts.AllUIDs(), mailparts.FlagDeleted)
	x.checkCounts("after Expunge")
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	x.checkCounts("after Expunge of all")
}

// checkCounts compares Status with a count over Messages.
func (x *trial) checkCounts(when string) {
	x.Helper()
	st := x.status(x.inbox)
	var c mailparts.Counts
	msgs := x.all(x.inbox)
	for _, m := range msgs {
		c.Size += m.Size
		if !hasFlag(m.Flags, mailparts.FlagSeen) {
			c.Unseen++
		}
		if hasFlag(m.Flags, mailparts.FlagDeleted) {
			c.Deleted++
			c.DeletedSize += m.Size
		}
	}
	if int(st.Messages) != len(msgs) {
		x.Errorf("%s: Status says %d messages, Messages yields %d", when, st.Messages, len(msgs))
	}
	if st.Counts != nil && *st.Counts != c {
		x.Errorf("%s: Status.Counts says %+v, the messages are %+v", when, *st.Counts, c)
	}
}

func statusUnchanged(x *trial) {
	uid := x.addTexts(x.inbox, "m\r\n")[0]
	a := x.status(x.inbox)
	x.message(x.inbox, uid)
	x.body(x.inbox, uid)
	b := x.status(x.inbox)
	if a.UIDNext != b.UIDNext || a.HighestModSeq != b.HighestModSeq || a.UIDValidity != b.UIDValidity || a.Messages != b.Messages || a.FirstRecent != b.FirstRecent || a.ID != b.ID {
		x.Errorf("after nothing but reads Status is %+v, was %+v", b, a)
	}
	x.wantFlags("after nothing but reads", x.inbox, uid)
}

func statusPermanentFlags(x *trial) {
	uid := x.addTexts(x.inbox, "m\r\n")[0]
	for _, f := range []mailparts.Flag{
		mailparts.FlagSeen, mailparts.FlagAnswered, mailparts.FlagFlagged, mailparts.FlagDeleted, mailparts.FlagDraft, "$Forwarded",
	} {
		if !x.keeps(f) {
			continue
		}
		x.setFlags(x.inbox, set(uid), mailparts.ReplaceFlags, f)
		x.wantFlags("a flag of PermanentFlags, set", x.inbox, uid, f)
	}
	x.setFlags(x.inbox, set(uid), mailparts.ReplaceFlags)
	x.wantFlags("ReplaceFlags with none", x.inbox, uid)
}
