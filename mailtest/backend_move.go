package mailtest

import (
	"fmt"

	"github.com/mailparts/mailparts"
)

func movePromises() []promise {
	return []promise{
		{"keeps flags, date, id and octets", moveKeeps},
		{"skips what is gone, and of an empty set moves nothing", moveSkips},
		{"within one mailbox gives new UIDs", moveSame},
		{"shows each message in one of the two mailboxes at least", moveShows},
		{"into a mailbox that is gone leaves everything", moveGone},
	}
}

// move is Move by the store itself, or skips the trial.
func (x *trial) move(src mailparts.Mailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) mailparts.Copied {
	x.Helper()
	var c mailparts.Copied
	x.within("Move", func() (err error) {
		c, err = optional[mailparts.Mover](x, src).Move(x.Context(), uids, dst)
		return err
	})
	return c
}

// mover skips the trial if the store does not move itself.
func (x *trial) mover() mailparts.Mover {
	x.Helper()
	m := optional[mailparts.Mover](x, x.inbox)
	_, err := m.Move(x.Context(), nil, x.inbox)
	x.mustDo("Move", err)
	return m
}

func moveKeeps(x *trial) {
	x.mover()
	const body = "Subject: moved\r\n\r\n\x80\r\r\n"
	uids := x.addTexts(x.inbox, body, "b", "c")
	x.setFlags(x.inbox, set(uids[0]), mailparts.AddFlags, mailparts.FlagFlagged)
	first := x.message(x.inbox, uids[0])
	dst := x.other()
	c := x.move(x.inbox, set(uids[0], uids[2]), dst)
	x.wantCopied(c, dst, []mailparts.UID{uids[0], uids[2]})
	x.wantSame(first, x.message(dst, c.To.UIDs[0].First))
	x.wantBodies("the other mailbox", dst, body, "c")
	x.wantUIDs("the source", x.inbox, uids[1])
	x.checkCounts("the source of Move")
}

func moveSkips(x *trial) {
	x.mover()
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[1]), "")
	dst := x.other()
	x.wantCopied(x.move(x.inbox, nil, dst), dst, nil)
	x.wantUIDs("the source, after Move of an empty set", x.inbox, uids[0], uids[2])
	x.wantCopied(x.move(x.inbox, mailparts.AllUIDs(), dst), dst, []mailparts.UID{uids[0], uids[2]})
	x.wantUIDs("the source, after Move of all", x.inbox)
}

func moveSame(x *trial) {
	x.mover()
	uids := x.addTexts(x.inbox, "a", "b")
	c := x.move(x.inbox, set(uids[0]), x.mailbox(x.store, "INBOX"))
	x.wantBodies("the mailbox, its first message moved into it", x.inbox, "b", "a")
	x.wantUIDs("the same", x.inbox, append(uids[1:], each(c.To.UIDs)...)...)
}

// moveShows looks while messages go from one mailbox to the other and back.
func moveShows(x *trial) {
	x.mover()
	x.addTexts(x.inbox, "a")
	dst := x.other()
	done := make(chan error, 1)
	go func() {
		src, dst := x.inbox, dst
		for range 20 {
			if _, err := src.(mailparts.Mover).Move(x.Context(), mailparts.AllUIDs(), dst); err != nil {
				done <- err
				return
			}
			src, dst = dst, src
		}
		done <- nil
	}()
	x.within("Move there and back", func() error {
		for {
			select {
			case err := <-done:
				return err
			default:
			}
			if err := x.lookBoth(dst); err != nil {
				return err
			}
		}
	})
}

// lookBoth looks for a message that moves between the inbox and dst. One that
// goes behind its back it sees by a change of the numbers.
func (x *trial) lookBoth(dst mailparts.Mailbox) error {
	var next [2]mailparts.UID
	n := 0
	for range 2 {
		for i, mb := range []mailparts.Mailbox{x.inbox, dst} {
			st, err := mb.Status(x.Context())
			if err != nil {
				return err
			}
			if next[i] != 0 && next[i] != st.UIDNext {
				return nil
			}
			next[i] = st.UIDNext
			n += int(st.Messages)
		}
	}
	if n == 0 {
		return fmt.Errorf("a message that is moved is in neither mailbox")
	}
	return nil
}

func moveGone(x *trial) {
	m := x.manager()
	mover := x.mover()
	uids := x.addTexts(x.inbox, "a")
	dst := x.other()
	x.mustDo("Delete", m.Delete(x.Context(), "other"))
	_, err := mover.Move(x.Context(), set(uids...), dst)
	x.wantError("Move to a deleted mailbox", err, mailparts.ErrNoMailbox)
	x.wantBodies("the source, after that", x.inbox, "a")
}
