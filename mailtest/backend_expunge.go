package mailtest

import "github.com/mailparts/mailparts"

func expungePromises() []promise {
	return []promise{
		{"removes those that carry the flag", expungeHaving},
		{"removes all of the set if no flag is asked for", expungeAll},
		{"removes nothing of an empty set", expungeEmptySet},
		{"skips messages that do not exist", expungeMissing},
		{"goes by the flags of the moment", expungeMoment},
	}
}

func expungeHaving(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c", "d")
	x.setFlags(x.inbox, set(uids[0], uids[2], uids[3]), mailparts.AddFlags, mailparts.FlagDeleted)
	x.expunge(x.inbox, set(uids[0], uids[1], uids[2]), mailparts.FlagDeleted)
	x.wantUIDs(`Expunge of the first three having \Deleted`, x.inbox, uids[1], uids[3])
	x.expunge(x.inbox, mailparts.AllUIDs(), mailparts.FlagDeleted)
	x.wantUIDs(`Expunge of all having \Deleted`, x.inbox, uids[1])
	x.wantBodies("what is left", x.inbox, "b")
}

func expungeAll(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[1]), "")
	x.wantUIDs("Expunge of the second, whatever its flags", x.inbox, uids[0], uids[2])
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	x.wantUIDs("Expunge of AllUIDs", x.inbox)
}

func expungeEmptySet(x *trial) {
	in := text("m")
	in.Flags = []mailparts.Flag{mailparts.FlagDeleted}
	uid := x.add(x.inbox, in)[0]
	for _, s := range []mailparts.UIDSet{nil, {}} {
		x.expunge(x.inbox, s, "")
		x.expunge(x.inbox, s, mailparts.FlagDeleted)
		x.wantUIDs("Expunge of an empty set", x.inbox, uid)
	}
}

func expungeMissing(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	x.expunge(x.inbox, set(uids[0]), "")
	x.expunge(x.inbox, set(uids[0]), "")
	x.expunge(x.inbox, mailparts.UIDSet{{First: uids[1] + 1, Last: 1<<32 - 1}}, "")
	x.wantUIDs("Expunge of UIDs that do not exist", x.inbox, uids[1])
}

func expungeMoment(x *trial) {
	in := text("m")
	in.Flags = []mailparts.Flag{mailparts.FlagDeleted}
	uid := x.add(x.inbox, in)[0]
	again := x.mailbox(x.store, "INBOX")
	x.setFlags(again, set(uid), mailparts.RemoveFlags, mailparts.FlagDeleted)
	x.expunge(x.inbox, set(uid), mailparts.FlagDeleted)
	x.wantUIDs(`Expunge by one handle after another took \Deleted away`, x.inbox, uid)
}
