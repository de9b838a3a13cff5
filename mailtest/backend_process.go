package mailtest

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/mailparts/mailparts"
)

// processPromises are kept between two processes that use the same data.
func processPromises() []promise {
	return []promise{
		{"each sees what the other changes", both(handleSees)},
		{"each sees the mailboxes that the other makes", both(processNames)},
		{"appends get UIDs of their own", both(concurrentAppends)},
		{"no UID below a seen UIDNext appears later", both(concurrentUIDNext)},
		{"who follows the numbers misses nothing", both(concurrentSync)},
		{"flags of both are all kept", both(concurrentFlags)},
		{"keywords of both are all kept", both(processKeywords)},
		{"copies while the other expunges name both sides", both(processCopy)},
		{"moves by both take each message once", both(processMove)},
		{"a lock excludes the other", both(lockExcludes)},
		{"a lock is passed on to the other", both(lockNext)},
		{"a handle follows the other's rename", both(processRename)},
		{"a handle to what the other deleted says ErrNoMailbox", both(processDelete)},
		{"no UIDVALIDITY is given twice", both(processUIDValidity)},
		{"each is woken by the other's changes", both(watchMailbox)},
		{"recent goes to one caller only", both(recentOnce)},
	}
}

// both has every other Open of a trial done by a second process.
func both(check func(x *trial)) func(x *trial) {
	return func(x *trial) {
		if x.kit.Second == nil {
			x.Skip("the kit was given no Second")
		}
		x.second = x.kit.Second(x.T, x.backend)
		x.opened = 1 // the store of the trial is of the first
		check(x)
	}
}

func processNames(x *trial) {
	m := x.manager()
	other := x.open(x.kit.Users[0])
	x.create(m, "a", "a/b")
	if got, want := x.names(other), []string{"INBOX", "a", "a/b"}; !slices.Equal(got, want) {
		x.Errorf("after Create the other lists %q, want %q", got, want)
	}
	x.wantBodies("the other's handle", x.mailbox(other, "a/b"), "a/b")
	x.wantError("the other's Create of the same name", other.(mailparts.Manager).Create(x.Context(), "a"), mailparts.ErrExists)
	x.mustDo("the other's Rename", other.(mailparts.Manager).Rename(x.Context(), "a", "c"))
	x.wantNames("after the other's Rename", "c", "c/b")
	x.mustDo("the other's Delete", other.(mailparts.Manager).Delete(x.Context(), "c"))
	x.wantNames("after the other's Delete", "c/b")
	if s, ok := x.store.(mailparts.Subscriber); ok {
		x.mustDo("Subscribe", s.Subscribe(x.Context(), "a", true))
		x.wantSubscribed("the other", other.(mailparts.Subscriber), "a")
	}
}

func processKeywords(x *trial) {
	x.needFlags("Work")
	uids := x.addTexts(x.inbox, "a")
	var want [writers][]mailparts.Flag
	x.together(func(w int, mb mailparts.Mailbox) error {
		for i := range 5 {
			f := mailparts.Flag(fmt.Sprintf("keyword%d-%d", w, i))
			if _, _, err := mb.SetFlags(x.Context(), set(uids...), mailparts.FlagChange{Flags: []mailparts.Flag{f}}); err != nil {
				return err
			}
			want[w] = append(want[w], f)
		}
		return nil
	})
	for what, mb := range map[string]mailparts.Mailbox{"one process": x.inbox, "the other": x.mailbox(x.open(x.kit.Users[0]), "INBOX")} {
		x.wantFlags(what+", after both gave keywords", mb, uids[0], slices.Concat(want[:]...)...)
	}
}

func processCopy(x *trial) {
	dst := x.other()
	var copied atomic.Int64
	x.together(func(w int, mb mailparts.Mailbox) error {
		for i := range rounds {
			in := text(fmt.Sprintf("writer %d, round %d", w, i))
			in.Flags = []mailparts.Flag{mailparts.FlagSeen}
			placed, err := mailparts.Append(x.Context(), mb, in)
			if err != nil {
				return err
			}
			if w%2 == 1 {
				if err := mb.Expunge(x.Context(), placed.UIDs, ""); err != nil {
					return err
				}
				continue
			}
			c, err := mailparts.Copy(x.Context(), mb, mailparts.AllUIDs(), dst)
			if err != nil {
				return err
			}
			if c.From.Len() != c.To.UIDs.Len() || !c.From.Contains(placed.UIDs[0].First) {
				return fmt.Errorf("copied %v to %v, want as many, and %v", c.From, c.To.UIDs, placed.UIDs)
			}
			copied.Add(int64(c.From.Len()))
		}
		return nil
	})
	if got := len(x.uids(dst)); int64(got) != copied.Load() {
		x.Errorf("Copy told of %d copies, there are %d", copied.Load(), got)
	}
}

func processMove(x *trial) {
	dst := x.other()
	var bodies []string
	for i := range 30 {
		bodies = append(bodies, fmt.Sprintf("message %02d", i))
	}
	uids := x.addTexts(x.inbox, bodies...)
	mover := optional[mailparts.Mover](x, x.inbox)
	_, err := mover.Move(x.Context(), nil, dst)
	x.mustDo("Move", err)
	var moved atomic.Int64
	x.together(func(w int, mb mailparts.Mailbox) error {
		for i := range uids {
			c, err := mb.(mailparts.Mover).Move(x.Context(), set(uids[(i+w*7)%len(uids)]), dst)
			if err != nil {
				return err
			}
			moved.Add(int64(c.From.Len()))
		}
		return nil
	})
	got := x.bodies(dst)
	slices.Sort(got)
	if !slices.Equal(got, bodies) || moved.Load() != int64(len(bodies)) {
		x.Errorf("Move told of %d messages moved, and the other mailbox has %q; want each of %d once", moved.Load(), got, len(bodies))
	}
	x.wantUIDs("the source, after all were moved", x.inbox)
}

func processRename(x *trial) {
	m := x.manager()
	mb := x.other()
	uid := x.addTexts(mb, "before")[0]
	other := x.open(x.kit.Users[0])
	theirs := x.mailbox(other, "other")
	x.mustDo("Rename", m.Rename(x.Context(), "other", "renamed"))
	x.setFlags(theirs, set(uid), mailparts.AddFlags, mailparts.FlagSeen)
	x.addTexts(theirs, "after")
	x.wantBodies("the new name, after the other's old handle appended", x.mailbox(x.store, "renamed"), "before", "after")
	x.wantFlags("the new name, after the other's old handle set a flag", mb, uid, mailparts.FlagSeen)
}

func processDelete(x *trial) {
	m := x.manager()
	uid := x.addTexts(x.other(), "m")[0]
	theirs := x.mailbox(x.open(x.kit.Users[0]), "other")
	x.status(theirs)
	x.mustDo("Delete", m.Delete(x.Context(), "other"))
	x.wantGone(theirs, uid)
	x.must("Create", m.Create(x.Context(), "other"))
	x.wantGone(theirs, uid)
}

func processUIDValidity(x *trial) {
	x.manager()
	seen := map[uint32]bool{}
	for i := range 6 {
		s := x.open(x.kit.Users[0])
		m := optional[mailparts.Manager](x, s)
		x.mustDo("Create", m.Create(x.Context(), "a"))
		if v := x.status(x.mailbox(s, "a")).UIDValidity; seen[v] {
			x.Errorf("mailbox number %d has UIDVALIDITY %d, which another had", i, v)
		} else {
			seen[v] = true
		}
		x.must("Delete", m.Delete(x.Context(), "a"))
	}
}
