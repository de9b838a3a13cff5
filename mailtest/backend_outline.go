package mailtest

import "github.com/mailparts/mailparts"

func outlinePromises() []promise {
	return []promise{
		{"is the Status, and the UIDs that exist", outlineUIDs},
		{"names the first unseen message", outlineUnseen},
		{"is the caller's own", outlineOwn},
	}
}

// outline is the inbox's.
func (x *trial) outline() mailparts.Outline {
	x.Helper()
	o, err := optional[mailparts.Outliner](x, x.inbox).Outline(x.Context())
	x.must("Outline", err)
	return o
}

func outlineUIDs(x *trial) {
	want := func(what string, uids ...mailparts.UID) {
		x.Helper()
		o := x.outline()
		if got, want := o.UIDs.String(), set(uids...).String(); got != want {
			x.Errorf("%s: Outline has the UIDs %q, want %q", what, got, want)
		}
		if st := x.status(x.inbox); o.Messages != st.Messages || o.UIDNext != st.UIDNext || o.HighestModSeq != st.HighestModSeq || o.UIDValidity != st.UIDValidity {
			x.Errorf("%s: the Status of Outline is %+v, want %+v", what, o.Status, st)
		}
	}
	want("a new mailbox")
	uids := x.addTexts(x.inbox, "0", "1", "2", "3", "4")
	want("after Append", uids...)
	x.expunge(x.inbox, set(uids[1], uids[4]), "")
	want("after Expunge", uids[0], uids[2], uids[3])
	more := x.addTexts(x.inbox, "5")
	want("after both", uids[0], uids[2], uids[3], more[0])
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	want("after Expunge of all")
}

func outlineUnseen(x *trial) {
	if !x.keeps(mailparts.FlagSeen) {
		x.Skipf("it keeps no %s", mailparts.FlagSeen)
	}
	want := func(what string, uid mailparts.UID) {
		x.Helper()
		if got := x.outline().FirstUnseen; got != uid {
			x.Errorf("%s: the first unseen message of Outline is %d, want %d", what, got, uid)
		}
	}
	want("a new mailbox", 0)
	uids := x.addTexts(x.inbox, "0", "1", "2")
	want("after Append", uids[0])
	x.setFlags(x.inbox, set(uids[0]), mailparts.AddFlags, mailparts.FlagSeen)
	want("once the first is seen", uids[1])
	x.expunge(x.inbox, set(uids[1]), "")
	want("once the second is gone", uids[2])
	x.setFlags(x.inbox, set(uids[2]), mailparts.AddFlags, mailparts.FlagSeen)
	want("once all are seen", 0)
	x.setFlags(x.inbox, set(uids[0]), mailparts.RemoveFlags, mailparts.FlagSeen)
	want("once the first is unseen again", uids[0])
}

func outlineOwn(x *trial) {
	uids := x.addTexts(x.inbox, "0", "1")
	o := x.outline()
	o.UIDs.Add(uids[1]+1, uids[1]+1)
	if got, want := x.outline().UIDs.String(), set(uids...).String(); got != want {
		x.Errorf("after a caller added to its Outline, another one's is %q, want %q", got, want)
	}
}
