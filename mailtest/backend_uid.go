package mailtest

import (
	"fmt"
	"slices"

	"github.com/mailparts/mailparts"
)

func uidPromises() []promise {
	return []promise{
		{"ascends in the order of appends", uidAscends},
		{"ascends in the order of a batch", uidBatchOrder},
		{"is at least the UIDNext of before and below that of after", uidNext},
		{"never comes back after expunge", uidNoReturn},
		{"is given when a body has been read, not before", uidAtCommit},
		{"stays a message's own", uidStays},
		{"UIDNext never goes down", uidNextNeverDown},
		{"UIDVALIDITY is never zero and stays", uidValidity},
	}
}

func uidAscends(x *trial) {
	var last mailparts.UID
	for i := range 5 {
		uid := x.addTexts(x.inbox, fmt.Sprintf("message %d\r\n", i))[0]
		if uid <= last {
			x.Fatalf("append %d got UID %d, want one above %d", i, uid, last)
		}
		last = uid
	}
}

func uidBatchOrder(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c", "d")
	for i, want := range []string{"a", "b", "c", "d"} {
		if got := x.body(x.inbox, uids[i]); got != want {
			x.Errorf("UID %d, number %d of the batch, is %q, want %q", uids[i], i, got, want)
		}
	}
	x.wantUIDs("after the batch", x.inbox, uids...)
}

func uidNext(x *trial) {
	for i := range 4 {
		before := x.status(x.inbox).UIDNext
		uids := x.addTexts(x.inbox, "one\r\n", "two\r\n")
		after := x.status(x.inbox).UIDNext
		if uids[0] < before || uids[1] >= after {
			x.Errorf("UIDNext was %d, a batch got %v, UIDNext is %d", before, uids, after)
		}
		if i == 2 {
			x.expunge(x.inbox, set(uids...), "")
		}
	}
}

func uidNoReturn(x *trial) {
	seen := map[mailparts.UID]bool{}
	add := func(when string) mailparts.UID {
		uid := x.addTexts(x.inbox, when)[0]
		if seen[uid] {
			x.Errorf("%s: a new message got UID %d, which another had", when, uid)
		}
		seen[uid] = true
		return uid
	}
	add("first")
	x.expunge(x.inbox, set(add("second")), "")
	add("after the newest was expunged")
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	add("after all were expunged")
}

// uidAtCommit appends while another Append reads: who sees UIDNext then must not
// see the first message appear below it.
func uidAtCommit(x *trial) {
	var inner mailparts.Status
	var outer mailparts.Placed
	x.within("Append while another Append reads", func() error {
		var err error
		outer, _ = mailparts.Append(x.Context(), x.inbox, mailparts.Incoming{Body: readFunc("slow", func() {
			if _, err = mailparts.Append(x.Context(), x.inbox, text("fast")); err == nil {
				inner, err = x.inbox.Status(x.Context())
			}
		})})
		return err
	})
	if slow := each(outer.UIDs); len(slow) != 1 || slow[0] < inner.UIDNext {
		x.Errorf("a message whose body came slowly got UID %v, below UIDNext %d that was seen before it was there", slow, inner.UIDNext)
	}
	x.wantBodies("in the order of UIDs", x.inbox, "fast", "slow")
}

func uidStays(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[0]), "")
	x.setFlags(x.inbox, mailparts.AllUIDs(), mailparts.AddFlags, mailparts.FlagSeen)
	x.addTexts(x.inbox, "d")
	for i, want := range map[int]string{1: "b", 2: "c"} {
		if got := x.body(x.inbox, uids[i]); got != want {
			x.Errorf("UID %d is %q now, was %q", uids[i], got, want)
		}
	}
}

func uidNextNeverDown(x *trial) {
	last := x.status(x.inbox).UIDNext
	check := func(when string) {
		x.Helper()
		next := x.status(x.inbox).UIDNext
		if next < last {
			x.Errorf("%s: UIDNext went down from %d to %d", when, last, next)
		}
		last = next
	}
	x.addTexts(x.inbox, "a", "b")
	check("after Append")
	x.inbox.Append(x.Context(), batch(text("c"), mailparts.Incoming{Body: failAfter("d", errRead)}))
	check("after an Append that failed")
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	check("after Expunge")
}

func uidValidity(x *trial) {
	var all []uint32
	note := func(v uint32) { all = append(all, v) }
	note(x.status(x.inbox).UIDValidity)
	placed, err := x.inbox.Append(x.Context(), batch(text("m")))
	x.must("Append", err)
	note(placed.UIDValidity)
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	note(x.status(x.inbox).UIDValidity)
	note(x.status(x.mailbox(x.open(x.kit.Users[0]), "INBOX")).UIDValidity)
	if all[0] == 0 || slices.Min(all) != slices.Max(all) {
		x.Errorf("UIDVALIDITY before and in Append, after Expunge and by another Open: %d, want one number and not 0", all)
	}
}
