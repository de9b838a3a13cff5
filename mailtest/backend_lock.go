package mailtest

import (
	"context"
	"time"

	"github.com/mailparts/mailparts"
)

func lockPromises() []promise {
	return []promise{
		{"excludes a second holder until it is released", lockExcludes},
		{"lets the next one in", lockNext},
		{"is waited for until the context is done", lockGivesUp},
		{"of one mailbox is not that of another", lockOwn},
		{"excludes nobody but other holders", lockOthers},
	}
}

// lock takes the lock of mb.
func (x *trial) lock(mb mailparts.Mailbox) (unlock func() error) {
	x.Helper()
	l := optional[mailparts.Locker](x, mb)
	x.within("Lock of what nobody holds", func() (err error) {
		unlock, err = l.Lock(x.Context())
		return err
	})
	return unlock
}

func lockExcludes(x *trial) {
	unlock := x.lock(x.inbox)
	for what, mb := range map[string]mailparts.Mailbox{
		"the same handle": x.inbox, "another handle": x.mailbox(x.store, "INBOX"), "another Open": x.mailbox(x.open(x.kit.Users[0]), "INBOX"),
	} {
		x.within("a second Lock by "+what, func() error {
			ctx, cancel := context.WithCancel(x.Context())
			cancel()
			_, err := mb.(mailparts.Locker).Lock(ctx)
			x.wantError("a second Lock by "+what+" whose context is done", err, mailparts.ErrLocked)
			return nil
		})
	}
	x.must("unlock", unlock())
	x.must("unlock of the next holder", x.lock(x.mailbox(x.store, "INBOX"))())
}

func lockNext(x *trial) {
	unlock := x.lock(x.inbox)
	next := x.mailbox(x.open(x.kit.Users[0]), "INBOX").(mailparts.Locker)
	entered := make(chan error, 1)
	go func() {
		second, err := next.Lock(x.Context())
		if err == nil {
			err = second()
		}
		entered <- err
	}()
	select {
	case err := <-entered:
		x.Fatalf("a second Lock returned before the first was released: %v", err)
	case <-time.After(20 * time.Millisecond): // it waits, as it must
	}
	x.must("unlock", unlock())
	x.within("a Lock that waits for one that is released", func() error { return <-entered })
}

func lockGivesUp(x *trial) {
	unlock := x.lock(x.inbox)
	ctx, cancel := context.WithTimeout(x.Context(), 20*time.Millisecond)
	defer cancel()
	next := x.mailbox(x.store, "INBOX").(mailparts.Locker)
	x.within("a Lock whose context ends while it waits", func() error {
		_, err := next.Lock(ctx)
		x.wantError("a Lock whose context ends while it waits", err, mailparts.ErrLocked)
		if ctx.Err() == nil {
			x.Errorf("a second Lock gave up before its context was done")
		}
		return nil
	})
	x.must("unlock", unlock())
	x.must("unlock of the next holder", x.lock(x.inbox)())
}

func lockOwn(x *trial) {
	unlock := x.lock(x.inbox)
	x.must("unlock of another mailbox", x.lock(x.other())())
	x.must("unlock of another user's mailbox", x.lock(x.mailbox(x.open(x.kit.Users[1]), "INBOX"))())
	x.must("unlock", unlock())
}

func lockOthers(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	unlock := x.lock(x.inbox)
	x.within("the mailbox, called while locked", func() error { return x.callAll(uids[0], uids[1]) })
	x.must("unlock", unlock())
	x.wantBodies("what changed while it was locked", x.inbox, "a", "inner")
}
