package mailtest

import (
	"context"
	"errors"
	"slices"

	"github.com/mailparts/mailparts"
)

// replica is a mailbox as a client knows it that asks only for what is new, by
// RFC 7162: Status, then Messages since, then Vanished.
type replica struct {
	seen     mailparts.ModSeq
	messages map[mailparts.UID]mailparts.Message
}

func (r *replica) sync(ctx context.Context, mb mailparts.Mailbox) error {
	st, err := mb.Status(ctx)
	if err != nil {
		return err
	}
	news, err := collect(ctx, mb, mailparts.AllUIDs(), mailparts.Query{Since: r.seen})
	if err != nil {
		return err
	}
	gone, err := mailparts.Vanished(ctx, mb, r.seen)
	if err != nil {
		return err
	}
	for _, m := range news {
		r.messages[m.UID] = m
	}
	for u := range r.messages {
		if gone.Contains(u) {
			delete(r.messages, u)
		}
	}
	r.seen = st.HighestModSeq
	return nil
}

func newReplica() *replica { return &replica{messages: map[mailparts.UID]mailparts.Message{}} }

// modSeqSync makes one change at a time and has a client catch up after each.
func modSeqSync(x *trial) {
	x.needModSeq()
	r := newReplica()
	caughtUp := func(what string) {
		x.Helper()
		x.must("sync", r.sync(x.Context(), x.inbox))
		x.wantReplica(what, r)
	}
	caughtUp("a new mailbox")
	uids := x.addTexts(x.inbox, "a", "b", "c", "d")
	caughtUp("after Append")
	x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, mailparts.FlagSeen)
	caughtUp("after a flag was set")
	x.expunge(x.inbox, set(uids[0], uids[2]), "")
	caughtUp("after Expunge")
	x.addTexts(x.inbox, "e")
	x.setFlags(x.inbox, set(uids[1]), mailparts.ReplaceFlags)
	x.expunge(x.inbox, set(uids[3]), "")
	caughtUp("after three changes")
	x.expunge(x.inbox, mailparts.AllUIDs(), "")
	caughtUp("after Expunge of all")
}

func concurrentSync(x *trial) {
	x.needModSeq()
	replicas := make(chan *replica, 2)
	for range cap(replicas) {
		replicas <- newReplica()
	}
	x.during(changeAll(x.Context()), func(ctx context.Context, mb mailparts.Mailbox) error {
		r := <-replicas
		defer func() { replicas <- r }()
		return r.sync(ctx, mb)
	})
	for range cap(replicas) {
		r := <-replicas
		x.must("the last sync", r.sync(x.Context(), x.inbox))
		x.wantReplica("after changes by many sessions", r)
	}
}

// changeAll returns a writer that appends, sets flags and expunges: at first of
// all messages, then of its own, so that what a reader missed stays missed.
func changeAll(ctx context.Context) func(int, mailparts.Mailbox) error {
	return func(w int, mb mailparts.Mailbox) error {
		for i := range rounds {
			placed, err := mailparts.Append(ctx, mb, text("m"))
			if err != nil {
				return err
			}
			uids := mailparts.AllUIDs()
			if i > rounds/3 {
				uids = placed.UIDs
			}
			if (i+w)%2 == 0 {
				_, _, err = mb.SetFlags(ctx, uids, mailparts.FlagChange{Op: mailparts.FlagOp(i / 2 % 2), Flags: []mailparts.Flag{mailparts.FlagSeen}})
			}
			if i%3 == 0 {
				err = errors.Join(err, mb.Expunge(ctx, placed.UIDs, ""))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// wantReplica compares r with the inbox.
func (x *trial) wantReplica(what string, r *replica) {
	x.Helper()
	uids := x.uids(x.inbox)
	for u := range r.messages {
		if !slices.Contains(uids, u) {
			x.Errorf("%s: a client that follows the mod-sequences still has UID %d, which is expunged", what, u)
		}
	}
	for _, m := range x.all(x.inbox) {
		got, ok := r.messages[m.UID]
		switch {
		case !ok:
			x.Errorf("%s: a client that follows the mod-sequences never saw UID %d", what, m.UID)
		case got.ModSeq != m.ModSeq || !sameFlags(got.Flags, m.Flags):
			x.Errorf("%s: a client that follows the mod-sequences has UID %d at %d with %v, the mailbox at %d with %v", what, m.UID, got.ModSeq, got.Flags, m.ModSeq, m.Flags)
		}
	}
}
