package mailtest

import "github.com/mailparts/mailparts"

func vanishedPromises() []promise {
	return []promise{
		{"names every UID expunged after since", vanishedAll},
		{"names no message that exists", vanishedNone},
	}
}

// wantVanished checks an answer of Vanished: it names all of gone, and nothing
// that exists or is yet to come.
func (x *trial) wantVanished(since mailparts.ModSeq, gone ...mailparts.UID) {
	x.Helper()
	got, err := mailparts.Vanished(x.Context(), x.inbox, since)
	x.must("Vanished", err)
	if missing := set(gone...).Subtract(got); len(missing) > 0 {
		x.Errorf("Vanished since %d is %v, without %v, which were expunged after it", since, got, missing)
	}
	if there := got.Intersect(set(x.uids(x.inbox)...)); len(there) > 0 {
		x.Errorf("Vanished since %d is %v, with %v, which exist", since, got, there)
	}
	if next := x.status(x.inbox).UIDNext; len(got) > 0 && got[len(got)-1].Last >= next {
		x.Errorf("Vanished since %d is %v, want nothing at or above UIDNext %d", since, got, next)
	}
}

func vanishedAll(x *trial) {
	x.needModSeq()
	optional[mailparts.VanishedLister](x, x.inbox)
	uids := x.addTexts(x.inbox, "0", "1", "2", "3", "4", "5")
	since := x.status(x.inbox).HighestModSeq
	x.expunge(x.inbox, set(uids[1], uids[4]), "")
	x.wantVanished(since, uids[1], uids[4])
	x.wantVanished(0, uids[1], uids[4])
	later := x.status(x.inbox).HighestModSeq
	x.expunge(x.inbox, set(uids[2]), "")
	x.wantVanished(later, uids[2])
	x.wantVanished(since, uids[1], uids[2], uids[4])
}

func vanishedNone(x *trial) {
	x.needModSeq()
	optional[mailparts.VanishedLister](x, x.inbox)
	x.wantVanished(0)
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.wantVanished(0)
	x.setFlags(x.inbox, set(uids[0]), mailparts.AddFlags, mailparts.FlagDeleted)
	x.wantVanished(0)
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	x.addTexts(x.inbox, "d")
	x.wantVanished(0, uids...)
	x.wantVanished(x.status(x.inbox).HighestModSeq)
}
