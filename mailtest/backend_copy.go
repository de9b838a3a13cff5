package mailtest

import (
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

func copyPromises() []promise {
	return []promise{
		{"keeps flags, date, id and octets", copyKeeps},
		{"keeps the order and names both sides", copyOrder},
		{"skips what is gone", copySkips},
		{"of an empty set is nothing", copyEmpty},
		{"into the same mailbox doubles", copySame},
		{"by the fallback gives the same", copyFallback},
		{"into a mailbox that is gone leaves nothing", copyGone},
		{"and expunge are one in Move", moveKeeps},
	}
}

func copyKeeps(x *trial) {
	x.needFlags(mailparts.FlagSeen, mailparts.FlagFlagged)
	const body = "Subject: copied\r\n\r\n\x80\r\r\n"
	uid := x.add(x.inbox, mailparts.Incoming{
		Body: strings.NewReader(body), Flags: []mailparts.Flag{mailparts.FlagFlagged, mailparts.FlagSeen},
		Received: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC),
	})[0]
	x.setFlags(x.inbox, set(uid), mailparts.RemoveFlags, mailparts.FlagSeen)
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, set(uid), dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, []mailparts.UID{uid})
	x.wantSame(x.message(x.inbox, uid), x.message(dst, c.To.UIDs[0].First))
	x.wantBodies("the copy", dst, body)
	x.wantBodies("the original", x.inbox, body)
}

// wantCopied checks what Copy or Move to an empty dst returned.
func (x *trial) wantCopied(c mailparts.Copied, dst mailparts.Mailbox, from []mailparts.UID) {
	x.Helper()
	if !slices.Equal(each(c.From), from) {
		x.Errorf("copied from %v, want %v", c.From, from)
	}
	if got := x.uids(dst); int(c.To.UIDs.Len()) != len(from) || !slices.Equal(each(c.To.UIDs), got) {
		x.Errorf("copied %d messages to %v, the other mailbox has %v", len(from), c.To.UIDs, got)
	}
	if want := x.status(dst).UIDValidity; c.To.UIDValidity != want {
		x.Errorf("copied to UIDVALIDITY %d, want %d", c.To.UIDValidity, want)
	}
	if x.Failed() {
		x.FailNow()
	}
}

// wantSame checks that b is a copy of a.
func (x *trial) wantSame(a, b mailparts.Message) {
	x.Helper()
	if !sameFlags(a.Flags, b.Flags) || a.Size != b.Size || a.Received.Unix() != b.Received.Unix() || a.ID != b.ID {
		x.Errorf("the copy is %+v, want Flags, Size, Received and ID of %+v", b, a)
	}
}

func copyOrder(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c", "d")
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, set(uids[0], uids[2], uids[3]), dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, []mailparts.UID{uids[0], uids[2], uids[3]})
	x.wantBodies("the other mailbox", dst, "a", "c", "d")
}

func copySkips(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[1]), "")
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, mailparts.AllUIDs(), dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, []mailparts.UID{uids[0], uids[2]})
}

func copyEmpty(x *trial) {
	x.addTexts(x.inbox, "a")
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, nil, dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, nil)
}

func copySame(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	var c mailparts.Copied
	x.within("Copy into the same mailbox", func() (err error) {
		c, err = mailparts.Copy(x.Context(), x.inbox, set(uids...), x.mailbox(x.store, "INBOX"))
		return err
	})
	x.wantBodies("copied into itself", x.inbox, "a", "b", "a", "b")
	x.wantUIDs("copied into itself", x.inbox, append(uids, each(c.To.UIDs)...)...)
}

func copyFallback(x *trial) {
	uids := x.addTexts(x.inbox, "a\r\n", "b\r\n")
	x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, mailparts.FlagSeen)
	dst := x.other()
	var c mailparts.Copied
	x.within("Copy through Append", func() (err error) {
		c, err = mailparts.Copy(x.Context(), struct{ mailparts.Mailbox }{x.inbox}, mailparts.AllUIDs(), dst)
		return err
	})
	x.wantCopied(c, dst, uids)
	for i, u := range each(c.To.UIDs) {
		x.wantSame(x.message(x.inbox, uids[i]), x.message(dst, u))
	}
}

func copyGone(x *trial) {
	m := x.manager()
	uids := x.addTexts(x.inbox, "a")
	dst := x.other()
	x.mustDo("Delete", m.Delete(x.Context(), "other"))
	_, err := mailparts.Copy(x.Context(), x.inbox, set(uids...), dst)
	x.wantError("Copy to a deleted mailbox", err, mailparts.ErrNoMailbox)
	if mover, ok := x.inbox.(mailparts.Mover); ok {
		_, err := mover.Move(x.Context(), set(uids...), dst)
		x.wantError("Move to a deleted mailbox", err, mailparts.ErrNoMailbox)
	}
	x.wantUIDs("the source, after that", x.inbox, uids...)
}

func moveKeeps(x *trial) {
	mover := optional[mailparts.Mover](x, x.inbox)
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.setFlags(x.inbox, set(uids[0]), mailparts.AddFlags, mailparts.FlagFlagged)
	first := x.message(x.inbox, uids[0])
	dst := x.other()
	c, err := mover.Move(x.Context(), set(uids[0], uids[2]), dst)
	x.mustDo("Move", err)
	x.wantCopied(c, dst, []mailparts.UID{uids[0], uids[2]})
	x.wantSame(first, x.message(dst, c.To.UIDs[0].First))
	x.wantBodies("the other mailbox", dst, "a", "c")
	x.wantUIDs("the source", x.inbox, uids[1])
	x.checkCounts("the source of Move")
}
