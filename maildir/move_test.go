package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// Messages that move within a mailbox get new UIDs.
func TestMoveWithin(t *testing.T) {
	mb := openMailbox(t, on(disktest.New()), "INBOX")
	for _, body := range []string{"a", "b", "c"} {
		deliver(t, mb, body, mailparts.FlagFlagged)
	}
	c, err := mb.(mailparts.Mover).Move(t.Context(), uids(1, 3, 9), mb)
	must(t, err)
	if c.From.String() != "1,3" || c.To.UIDs.String() != "4:5" {
		t.Errorf("moved %v to %v", c.From, c.To.UIDs)
	}
	want(t, mb, `2 [\Flagged] b`, `4 [\Flagged] a`, `5 [\Flagged] c`)
}

// A message goes with the flags that it has by then, and one that is gone by then
// does not come back.
func TestMoveSeesChanges(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
	for _, body := range []string{"a", "b", "c"} {
		deliver(t, inbox, body)
	}
	theirs, done := openMailbox(t, on(fsys), "INBOX"), false
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "lock" && !done { // all drafts are made
			done = true
			must(t, theirs.Expunge(t.Context(), uids(2), ""))
			_, _, err := theirs.SetFlags(t.Context(), uids(3), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen, "$New"}})
			must(t, err)
		}
		return nil
	}
	if c := moveAll(t, inbox, other); c.From.String() != "1,3" || c.To.UIDs.String() != "1:2" || !done {
		t.Errorf("moved %v to %v", c.From, c.To.UIDs)
	}
	want(t, inbox)
	want(t, other, "1 [] a", `2 [\Seen $New] c`)
	if left := in(fsys, ".other/tmp/*"); len(left) > 0 {
		t.Errorf("left in tmp: %q", left)
	}
}

// What cannot be removed is in both, and told.
func TestMoveLeavesBoth(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
	deliver(t, inbox, "message")
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "remove" && strings.Contains(op.Path, "/user/new/") {
			return syscall.EACCES
		}
		return nil
	}
	c, err := inbox.(mailparts.Mover).Move(t.Context(), mailparts.AllUIDs(), other)
	if !errors.Is(err, syscall.EACCES) || c.From.String() != "1" || c.To.UIDs.String() != "1" {
		t.Errorf("moved %v to %v, %v", c.From, c.To.UIDs, err)
	}
	want(t, inbox, "1 [] message")
	want(t, other, "1 [] message")
}

// Whoever waits for the second mailbox gives the first one way now and then, and has
// both in the end.
func TestMoveGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		b := on(fsys)
		inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
		deliver(t, inbox, "message")
		held, err := fsys.Lock(root + "/user/.other/mailparts.lock")
		must(t, err)
		moved := make(chan error)
		go func() {
			_, err := inbox.(mailparts.Mover).Move(t.Context(), uids(1), other)
			moved <- err
		}()
		time.Sleep(time.Second)
		began := time.Now()
		deliver(t, inbox, "meanwhile")
		if waited := time.Since(began); waited < time.Second || waited > 10*time.Second {
			t.Errorf("waited %v for the first mailbox", waited)
		}
		must(t, held.Close())
		must(t, <-moved)
		want(t, inbox, "2 [] meanwhile")
		want(t, other, "1 [] message")
	})
}

// Sessions of several processes move the same messages to and fro, and out of one
// another's hands: each of them is in one mailbox in the end.
func TestMoveToAndFro(t *testing.T) {
	for _, tc := range []struct {
		name string
		fsys disk.FS
		root string
	}{{"memory", disktest.New(), root}, {"os", disk.OS{}, t.TempDir()}} {
		t.Run(tc.name, func(t *testing.T) {
			const messages, rounds = 12, 10
			open := func(name string) mailparts.Mailbox {
				b := on(tc.fsys)
				b.Root = tc.root
				return create(t, b, name)
			}
			names := []string{"INBOX", "a", "b"}
			for i := range messages {
				deliver(t, open(names[i%3]), fmt.Sprint(i))
			}
			var wg sync.WaitGroup
			for _, from := range names {
				for _, to := range names {
					b := on(tc.fsys) // its sessions are of one process
					b.Root = tc.root
					src, dst := openMailbox(t, b, from), openMailbox(t, b, to)
					wg.Go(func() {
						for range rounds {
							if _, err := src.(mailparts.Mover).Move(context.Background(), mailparts.AllUIDs(), dst); err != nil {
								t.Errorf("%s to %s: %v", from, to, err)
							}
						}
					})
				}
			}
			wg.Wait()
			var found, all []string
			for _, name := range names {
				for _, line := range describe(t, open(name)) {
					found = append(found, line[strings.LastIndexByte(line, ' ')+1:])
				}
			}
			for i := range messages {
				all = append(all, fmt.Sprint(i))
			}
			slices.Sort(found)
			slices.Sort(all)
			if !slices.Equal(found, all) {
				t.Errorf("there are %q, want %q", found, all)
			}
		})
	}
}

// transfer is what a workload was told of messages that were in INBOX, with the
// flags that they have in the other mailbox. Each begins with one message in it.
type transfer struct {
	copied, moved bool
	errs          []error
}

// transfers copy messages 1 and 4, and move 2, 4 and 5.
func transfers(t *testing.T, fsys *disktest.FS) (told transfer) {
	time.Sleep(2 * time.Hour) // five has slept one
	s, err := on(fsys).Open(t.Context(), "user")
	if err != nil {
		return
	}
	inbox, err := s.Mailbox(t.Context(), "INBOX")
	if err != nil {
		return
	}
	other, err := s.Mailbox(t.Context(), "other")
	if err != nil {
		return
	}
	_, err = inbox.(mailparts.Copier).Copy(t.Context(), uids(1, 4), other)
	told.copied = err == nil
	told.errs = append(told.errs, err)
	_, err = inbox.(mailparts.Mover).Move(t.Context(), uids(2, 4, 5), other)
	told.moved = err == nil
	told.errs = append(told.errs, err)
	return told
}

func transferSetUp(t *testing.T) func(fsys *disktest.FS) {
	return func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) {
			five(t, fsys)
			b := on(fsys)
			inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
			_, _, err := inbox.SetFlags(t.Context(), uids(2, 4), mailparts.FlagChange{Flags: []mailparts.Flag{"$Work"}})
			must(t, err)
			deliver(t, other, "was there\r\n", "Other")
		})
	}
}

// counts is how often each body is in a mailbox. UIDs that are given anew are looked
// at too.
func counts(t *testing.T, fsys *disktest.FS, name string) map[string]int {
	t.Helper()
	mb := openMailbox(t, on(fsys), name)
	found := map[string]int{}
	for _, line := range describe(t, mb) {
		found[line[strings.Index(line, " ")+1:]]++
	}
	if uid, next := deliver(t, mb, "after"), status(t, mb).UIDNext; uid >= next {
		t.Errorf("UID %d was given, and UIDNext is %d", uid, next)
	}
	return found
}

// check looks at both mailboxes after a crash, or after an error when all was done.
func (told transfer) check(t *testing.T, fsys *disktest.FS, crashed bool) {
	t.Helper()
	time.Sleep(3 * time.Hour)
	message := func(n int, flags string) string { return fmt.Sprintf("[%s] message %d\r\n", flags, n) }
	const a = `\Answered`
	bodies := map[int]string{1: message(1, ""), 2: message(2, "$Work"), 3: message(3, ""), 4: message(4, a+" $Work"), 5: message(5, a)}
	inbox, other := counts(t, fsys, "INBOX"), counts(t, fsys, "other")
	for n, min := range map[int][2]int{1: {1, 0}, 2: {0, 0}, 3: {1, 0}, 4: {0, 0}, 5: {0, 0}} { // in INBOX and the other
		max := [2]int{1, 0}
		if n == 1 || n == 4 {
			max[1]++
			if told.copied {
				min[1]++
			} else if !crashed {
				max[1]-- // it was told that nothing was copied
			}
		}
		if n == 2 || n == 4 || n == 5 {
			max[1]++
			if told.moved {
				max[0] = 0
				min[1]++
			}
		}
		body := bodies[n]
		if inbox[body] < min[0] || inbox[body] > max[0] || other[body] < min[1] || other[body] > max[1] || inbox[body]+other[body] == 0 {
			t.Errorf("%q is in INBOX %d times and in the other mailbox %d, want %d to %d and %d to %d, told %+v", body, inbox[body], other[body], min[0], max[0], min[1], max[1], told)
		}
		delete(inbox, body)
		delete(other, body)
	}
	if left := slices.Sorted(maps.Keys(inbox)); len(left) > 0 {
		t.Errorf("INBOX has %q too", left)
	}
	if left := slices.Sorted(maps.Keys(other)); !slices.Equal(left, []string{"[Other] was there\r\n"}) {
		t.Errorf("the other mailbox has %q too", left)
	}
}

func TestTransferCrash(t *testing.T) {
	disktest.Crash(t, transferSetUp(t), func(fsys *disktest.FS) (told transfer) {
		synctest.Test(t, func(t *testing.T) { told = transfers(t, fsys) })
		return told
	}, func(t *testing.T, after *disktest.FS, told transfer) {
		synctest.Test(t, func(t *testing.T) { told.check(t, after, true) })
	})
}

func TestTransferFail(t *testing.T) {
	for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
		t.Run(cause.Error(), func(t *testing.T) {
			disktest.Fail(t, cause, transferSetUp(t), func(fsys *disktest.FS) (told transfer) {
				synctest.Test(t, func(t *testing.T) { told = transfers(t, fsys) })
				return told
			}, func(t *testing.T, after *disktest.FS, told transfer) {
				synctest.Test(t, func(t *testing.T) { told.check(t, after, !strings.HasSuffix(t.Name(), "/Kept")) })
			})
		})
	}
}
