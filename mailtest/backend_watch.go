package mailtest

import (
	"context"
	"time"

	"github.com/mailparts/mailparts"
)

func watchPromises() []promise {
	return []promise{
		{"wakes after each kind of change of a mailbox", watchMailbox},
		{"wakes when the mailbox is gone", watchGone},
		{"of a store wakes for all its mailboxes", watchStore},
		{"of a store wakes for its names", watchNames},
		{"shows the change to who reads when woken", watchRead},
		{"ends with its context", watchEnds},
	}
}

// alarm is woken by a Watcher.
type alarm struct {
	*trial
	woken chan struct{}
}

// watch arms an alarm on a Mailbox or a Store.
func (x *trial) watch(v any) alarm {
	x.Helper()
	w := optional[mailparts.Watcher](x, v)
	a := alarm{x, make(chan struct{}, 1)}
	x.mustDo("Watch", w.Watch(x.Context(), func() {
		select {
		case a.woken <- struct{}{}:
		default:
		}
	}))
	return a
}

// after makes a change and waits for the alarm. Woken more often than it must
// be, it may have been woken by the change before.
func (a alarm) after(what string, change func()) {
	a.Helper()
	for len(a.woken) > 0 {
		<-a.woken
	}
	change()
	select {
	case <-a.woken:
	case <-time.After(a.kit.patience):
		a.Errorf("%s: wake was not called within %v", what, a.kit.patience)
	}
}

func watchMailbox(x *trial) {
	a := x.watch(x.inbox)
	again := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
	var uid mailparts.UID
	a.after("Append", func() { uid = x.addTexts(x.inbox, "a")[0] })
	a.after("Append by another Open", func() { x.addTexts(again, "b") })
	a.after("SetFlags by another Open", func() { x.setFlags(again, set(uid), mailparts.AddFlags, mailparts.FlagSeen) })
	a.after("Expunge by another Open", func() { x.expunge(again, set(uid), "") })
	a.after("Copy into it", func() {
		src := x.other()
		x.addTexts(src, "c")
		_, err := mailparts.Copy(x.Context(), src, mailparts.AllUIDs(), again)
		x.must("Copy", err)
	})
}

func watchGone(x *trial) {
	m := x.manager()
	mb := x.other()
	a := x.watch(mb)
	a.after("Delete", func() { x.mustDo("Delete", m.Delete(x.Context(), "other")) })
}

func watchStore(x *trial) {
	mb := x.other()
	a := x.watch(x.store)
	var uid mailparts.UID
	a.after("Append to INBOX", func() { x.addTexts(x.inbox, "a") })
	a.after("Append to another mailbox", func() { uid = x.addTexts(x.inbox, "b")[0] })
	if _, ok := x.store.(mailparts.Manager); ok {
		a.after("Append to another mailbox", func() { uid = x.addTexts(mb, "b")[0] })
		a.after("SetFlags in another mailbox", func() { x.setFlags(mb, set(uid), mailparts.AddFlags, mailparts.FlagSeen) })
		a.after("Expunge in another mailbox", func() { x.expunge(mb, set(uid), "") })
	}
}

func watchNames(x *trial) {
	m := x.manager()
	a := x.watch(x.store)
	a.after("Create", func() { x.create(m, "made later") })
	a.after("Append to a mailbox made after Watch", func() { x.addTexts(x.mailbox(x.store, "made later"), "m") })
	a.after("Rename", func() { x.mustDo("Rename", m.Rename(x.Context(), "made later", "renamed")) })
	a.after("Append to a mailbox renamed after Watch", func() { x.addTexts(x.mailbox(x.store, "renamed"), "m") })
	a.after("Delete", func() { x.mustDo("Delete", m.Delete(x.Context(), "renamed")) })
}

func watchRead(x *trial) {
	a := x.watch(x.inbox)
	go func() {
		for range 20 {
			if _, err := mailparts.Append(x.Context(), x.inbox, text("m")); err != nil {
				x.Errorf("Append: %v", err)
				return
			}
		}
	}()
	seen := 0
	x.within("a reader that waits for wake between reads", func() error {
		for seen < 20 {
			<-a.woken
			st, err := x.inbox.Status(x.Context())
			if err != nil {
				return err
			}
			seen = int(st.Messages)
		}
		return nil
	})
}

func watchEnds(x *trial) {
	w := optional[mailparts.Watcher](x, x.inbox)
	ctx, cancel := context.WithCancel(x.Context())
	calls := make(chan struct{}, 100)
	x.mustDo("Watch", w.Watch(ctx, func() { calls <- struct{}{} }))
	cancel()
	a := x.watch(x.inbox)
	a.after("Append", func() { x.addTexts(x.inbox, "a") })
	for len(calls) > 0 { // one that was under way when the context ended
		<-calls
	}
	a.after("Append", func() { x.addTexts(x.inbox, "b") })
	if len(calls) > 0 {
		x.Errorf("wake was called for a change after its context had ended")
	}
}
