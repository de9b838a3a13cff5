package mailtest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts"
)

func restartPromises() []promise {
	return []promise{
		{"keeps messages as they were", restartMessages},
		{"keeps UIDs and never gives one again", restartUIDs},
		{"keeps mailboxes and never gives a UIDVALIDITY again", restartMailboxes},
		{"keeps subscriptions", restartSubscriptions},
		{"gives no mod-sequence again", restartModSeq},
		{"has who knew it before miss nothing", restartSync},
		{"leaves nothing of what was refused", restartRefused},
		{"leaves nothing of an Append that was under way", restartUnderWay},
		{"keeps annotations, rights and special uses", restartOthers},
		{"keeps what was recent", restartRecent},
	}
}

// reopen goes on with another Backend on the same data.
func (x *trial) reopen() {
	x.Helper()
	if x.kit.Reopen == nil {
		x.Skip("the kit was given no Reopen")
	}
	x.use(x.kit.Reopen(x.T, x.backend))
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

// restartModSeq changes a mailbox between restarts, and looks whether a number
// that was seen before ever comes again.
func restartModSeq(x *trial) {
	x.needModSeq()
	uid := x.addTexts(x.inbox, "m")[0]
	var last mailparts.ModSeq
	for i := range 5 {
		x.reopen()
		start := x.status(x.inbox).HighestModSeq
		if start < last {
			x.Errorf("after restart %d HighestModSeq is %d, was %d", i, start, last)
		}
		at := x.setFlags(x.inbox, set(uid), mailparts.FlagOp(i%2), mailparts.FlagSeen)
		if at <= last || at <= start {
			x.Errorf("after restart %d a change got the mod-sequence %d, want one above %d, which was seen before", i, at, max(start, last))
		}
		x.expunge(x.inbox, set(x.addTexts(x.inbox, "gone")...), "") // the last change leaves no message with its number
		last = x.status(x.inbox).HighestModSeq
	}
}

func restartSync(x *trial) {
	x.needModSeq()
	r := newReplica()
	uids := x.addTexts(x.inbox, "a", "b", "c", "d", "e")
	x.must("sync", r.sync(x.Context(), x.inbox))
	since := r.seen
	x.expunge(x.inbox, set(uids[1]), "")
	x.setFlags(x.inbox, set(uids[2]), mailparts.AddFlags, mailparts.FlagSeen)
	x.reopen()
	x.wantVanished(since, uids[1])
	x.wantVanished(1, uids[1])
	x.must("sync", r.sync(x.Context(), x.inbox))
	x.wantReplica("after a restart", r)
	x.expunge(x.inbox, set(uids[4]), "")
	x.reopen()
	x.wantVanished(since, uids[1], uids[4])
	x.addTexts(x.inbox, "f")
	x.must("sync", r.sync(x.Context(), x.inbox))
	x.wantReplica("after another", r)
}

// restartUnderWay restarts while a body is read, as a crash might come. What the
// first process does then it does not survive: its peer goes away too.
func restartUnderWay(x *trial) {
	x.addTexts(x.inbox, "kept")
	reading, crashed, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	old := x.inbox
	go func() {
		_, err := old.Append(x.Context(), batch(text("first of a batch"), mailparts.Incoming{Body: io.MultiReader(
			strings.NewReader(octets(10_000)),
			readFunc("", func() { close(reading); <-crashed }),
			iotest.ErrReader(errRead),
		)}))
		done <- err
	}()
	x.within("Append until its second body is half read", func() error {
		select {
		case <-reading:
			return nil
		case err := <-done:
			return fmt.Errorf("it ended before: %w", err)
		}
	})
	defer func() { <-done }()
	defer close(crashed)
	x.reopen()
	x.wantBodies("after a restart", x.inbox, "kept")
	x.checkCounts("after a restart")
	x.addTexts(x.inbox, "next")
	x.wantBodies("after a restart and another Append", x.inbox, "kept", "next")
}

func restartOthers(x *trial) {
	m := x.manager()
	x.mustDo("Create with a special use", m.Create(x.Context(), "a", `\Sent`))
	_, noAnnotations := mailparts.Annotations(x.Context(), x.store, "a")
	_, noACL := mailparts.ACL(x.Context(), x.store, "a")
	if noAnnotations == nil {
		x.annotate("a", "/private/x", "mine", "/shared/x", "\x00")
	}
	if noACL == nil {
		x.setACL("a", x.kit.Users[1], "lr")
	}
	x.reopen()
	if got := x.info("a").Use; !slices.Equal(got, []string{`\Sent`}) {
		x.Errorf(`after a restart List says the uses are %q, want \Sent`, got)
	}
	if noAnnotations == nil {
		x.wantAnnotations("after a restart", x.store, "a", "/private/x", "mine", "/shared/x", "\x00")
	}
	if noACL == nil {
		x.wantACL("after a restart", "a", map[string]mailparts.Rights{x.kit.Users[0]: mailparts.AllRights, x.kit.Users[1]: "lr"})
	}
}
