package mailtest

import (
	"errors"
	"time"

	"github.com/mailparts/mailparts"
)

func restartPromises() []promise {
	return []promise{
		{"keeps messages as they were", restartMessages},
		{"keeps UIDs and never gives one again", restartUIDs},
		{"keeps mailboxes and never gives a UIDVALIDITY again", restartMailboxes},
		{"keeps subscriptions", restartSubscriptions},
		{"leaves nothing of what was refused", restartRefused},
		{"keeps what was recent", restartRecent},
	}
}

// reopen goes on with another Backend on the same data.
func (x *trial) reopen() {
	x.Helper()
	if x.kit.Reopen == nil {
		x.Skip("the kit was given no Reopen")
	}
	x.backend = x.kit.Reopen(x.T, x.backend)
	x.store = x.open(x.kit.Users[0])
	x.inbox = x.mailbox(x.store, "INBOX")
}

func restartMessages(x *trial) {
	const body = "Subject: kept\n\n\x80\r\r\nno newline"
	in := text(body)
	in.Received = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	in.Flags = []mailparts.Flag{mailparts.FlagSeen}
	if x.keeps("Work") {
		in.Flags = append(in.Flags, "Work")
	}
	uid := x.add(x.inbox, in)[0]
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, mailparts.FlagFlagged)
	before := x.message(x.inbox, uid)
	x.reopen()
	after := x.message(x.inbox, uid)
	x.wantSame(before, after)
	if after.ModSeq < before.ModSeq {
		x.Errorf("after a restart the mod-sequence is %d, was %d", after.ModSeq, before.ModSeq)
	}
	x.wantBodies("after a restart", x.inbox, crlf(body))
	x.checkCounts("after a restart")
}

func restartUIDs(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[2]), "")
	before := x.status(x.inbox)
	x.reopen()
	x.wantUIDs("after a restart", x.inbox, uids[:2]...)
	x.wantNumbers(before)
	next := x.addTexts(x.inbox, "d")[0]
	if next <= uids[2] {
		x.Errorf("after a restart a new message got UID %d, want one above %d, which was expunged", next, uids[2])
	}
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	before = x.status(x.inbox)
	x.reopen()
	x.wantNumbers(before)
	if got := x.addTexts(x.inbox, "e")[0]; got <= next {
		x.Errorf("after a restart of an emptied mailbox a new message got UID %d, want one above %d", got, next)
	}
}

// wantNumbers checks that a restart gave the inbox no other identity and turned
// no counter back.
func (x *trial) wantNumbers(before mailparts.Status) {
	x.Helper()
	after := x.status(x.inbox)
	if after.UIDValidity != before.UIDValidity || after.ID != before.ID || after.UIDNext < before.UIDNext || after.HighestModSeq < before.HighestModSeq {
		x.Errorf("after a restart Status is %+v, was %+v", after, before)
	}
}

func restartMailboxes(x *trial) {
	m := x.manager()
	x.create(m, "a", "a/ü", "gone", "old")
	gone := x.status(x.mailbox(x.store, "gone")).UIDValidity
	before := x.status(x.mailbox(x.store, "old"))
	x.mustDo("Delete", m.Delete(x.Context(), "gone"))
	x.mustDo("Rename", m.Rename(x.Context(), "old", "renamed"))
	x.reopen()
	x.wantNames("after a restart", "a", "a/ü", "renamed")
	x.wantHolds("a/ü", "a/ü")
	x.wantHolds("renamed", "old")
	if after := x.status(x.mailbox(x.store, "renamed")); after.UIDValidity != before.UIDValidity || after.ID != before.ID {
		x.Errorf("after Rename and a restart Status is %+v, was %+v", after, before)
	}
	m = x.manager()
	for _, name := range []string{"gone", "old"} {
		x.create(m, name)
		if v := x.status(x.mailbox(x.store, name)).UIDValidity; v == gone || v == before.UIDValidity {
			x.Errorf("after a restart the new mailbox %s has UIDVALIDITY %d, which another had", name, v)
		}
	}
}

func restartSubscriptions(x *trial) {
	s := optional[mailparts.Subscriber](x, x.store)
	x.mustDo("Subscribe", errors.Join(s.Subscribe(x.Context(), "a/ü", true), s.Subscribe(x.Context(), "b", true), s.Subscribe(x.Context(), "b", false)))
	x.reopen()
	x.wantSubscribed("after a restart", optional[mailparts.Subscriber](x, x.store), "a/ü")
}

func restartRefused(x *trial) {
	x.addTexts(x.inbox, "kept")
	_, err := x.inbox.Append(x.Context(), batch(text("first of a batch"), mailparts.Incoming{Body: failAfter("second", errRead)}))
	x.wantError("Append", err, errRead)
	x.reopen()
	x.wantBodies("after a restart", x.inbox, "kept")
}

func restartRecent(x *trial) {
	c := optional[mailparts.RecentClaimer](x, x.inbox)
	old := x.addTexts(x.inbox, "a", "b")
	x.wantClaim(c, old...)
	uid := x.addTexts(x.inbox, "c")[0]
	x.reopen()
	c = optional[mailparts.RecentClaimer](x, x.inbox)
	x.wantClaim(c, uid)
}
