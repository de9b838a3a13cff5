package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// ledger is what a workload was told before the crash.
type ledger struct {
	validity uint32
	sure     map[string]bool          // bodies of messages that must be there
	gone     map[string]bool          // and that must not
	refused  map[string]bool          // and of those that an error was answered to
	seen     map[mailparts.UID]string // body of each UID that anyone was told of
	next     mailparts.UID            // the highest UIDNext that was told
	other    mailparts.Backend        // another process, for the workload
	fsys     *disktest.FS             // for what others do
	changed  []string                 // UIDs that a message lost to another without a crash
}

func newLedger() *ledger {
	return &ledger{sure: map[string]bool{}, gone: map[string]bool{}, refused: map[string]bool{}, seen: map[mailparts.UID]string{}}
}

// look notes what a session sees.
func (l *ledger) look(mb mailparts.Mailbox) {
	ctx := context.Background()
	time.Sleep(time.Hour) // so that one look does
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			return
		}
		body, err := readBody(mb, m.UID)
		if err != nil {
			continue
		}
		for uid, was := range l.seen {
			if was == body && uid != m.UID {
				l.changed = append(l.changed, fmt.Sprintf("%q has UID %d and had %d", body, m.UID, uid))
			}
		}
		l.seen[m.UID] = body
	}
	if st, err := mb.Status(ctx); err == nil {
		l.validity, l.next = st.UIDValidity, max(l.next, st.UIDNext)
	}
}

func (l *ledger) append(mb mailparts.Mailbox, msgs ...mailparts.Incoming) {
	var bodies []string
	for _, m := range msgs {
		b := make([]byte, m.Body.(interface{ Len() int }).Len())
		m.Body.(interface {
			ReadAt([]byte, int64) (int, error)
		}).ReadAt(b, 0)
		bodies = append(bodies, string(b))
	}
	placed, err := mb.Append(context.Background(), func(yield func(mailparts.Incoming, error) bool) {
		for _, m := range msgs {
			if !yield(m, nil) {
				return
			}
		}
	})
	if err != nil {
		for _, body := range bodies {
			l.refused[body] = true
		}
		return
	}
	i := 0
	for _, r := range placed.UIDs {
		for u := r.First; u <= r.Last; u++ {
			l.seen[u] = bodies[i]
			l.sure[bodies[i]] = true
			i++
		}
	}
	l.validity = placed.UIDValidity
}

// check looks at the mailbox after the crash, and then goes on with it.
func (l *ledger) check(t *testing.T, fsys *disktest.FS, name string) {
	t.Helper()
	time.Sleep(48 * time.Hour) // the clock of a test begins at one time always
	store := openStore(t, on(fsys))
	mb, err := store.Mailbox(context.Background(), name)
	if errors.Is(err, mailparts.ErrNoMailbox) && len(l.sure) == 0 {
		return
	}
	must(t, err)
	st := status(t, mb)
	for _, c := range l.changed {
		t.Error(c)
	}
	if l.validity != 0 && st.UIDValidity != l.validity {
		t.Errorf("UIDVALIDITY is %d, was %d", st.UIDValidity, l.validity)
	}
	if st.UIDNext < l.next {
		t.Errorf("UIDNext is %d, was %d", st.UIDNext, l.next)
	}
	found := map[string]int{}
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		found[body]++
		if was, ok := l.seen[m.UID]; ok && was != body {
			t.Errorf("UID %d is %q, was %q", m.UID, body, was)
		}
		l.seen[m.UID] = body
	}
	for body := range l.sure {
		if found[body] != 1 {
			t.Errorf("message %q is there %d times, want once", body, found[body])
		}
	}
	for body, n := range found {
		if n > 1 || l.gone[body] {
			t.Errorf("message %q is there %d times, gone for good: %v", body, n, l.gone[body])
		}
	}
	for range 2 {
		body := fmt.Sprint("after the crash ", len(l.seen))
		uid := deliver(t, mb, body)
		if was, ok := l.seen[uid]; ok {
			t.Errorf("UID %d of %q is given to a new message", uid, was)
		}
		if uid < l.next {
			t.Errorf("UID %d is given after UIDNext was %d", uid, l.next)
		}
		l.seen[uid] = body
	}
	if again := status(t, openMailbox(t, on(fsys), name)); again.UIDValidity != st.UIDValidity || int(again.Messages) != len(found)+2 {
		t.Errorf("after a restart Status is %+v, was %+v and two more", again, st)
	}
}

// workloads are what is done to a mailbox with five messages: 1 to 3 in new/, 4
// and 5 in cur/. All of them write down what they are told.
var workloads = []struct {
	name string
	do   func(l *ledger, s mailparts.Store, mb mailparts.Mailbox)
}{
	{"append", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.append(mb, incoming("eins"))
		l.append(mb, incoming("zwei", mailparts.FlagSeen))
		l.look(mb)
		l.append(mb, incoming("drei"))
	}},
	{"append to a mailbox that is open", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		l.append(mb, incoming("eins"))
		l.look(mb)
		l.append(mb, incoming("zwei", mailparts.FlagSeen))
		l.look(mb)
	}},
	{"append of a batch", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.append(mb, incoming("eins"), incoming("zwei", mailparts.FlagDraft), incoming("drei"))
		l.append(mb, incoming("vier"), incoming("fünf"))
	}},
	{"flags", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		ctx := context.Background()
		mb.SetFlags(ctx, uids(1, 4), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
		l.append(mb, incoming("eins"))
		mb.SetFlags(ctx, uids(1, 2, 4), mailparts.FlagChange{Op: mailparts.ReplaceFlags, Flags: []mailparts.Flag{mailparts.FlagFlagged}})
		l.append(mb, incoming("zwei"))
		l.look(mb)
	}},
	{"expunge", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		ctx := context.Background()
		for _, uid := range []mailparts.UID{5, 2} {
			body := l.seen[uid]
			delete(l.sure, body)
			if mb.Expunge(ctx, uids(uid), "") == nil {
				l.gone[body] = true
			}
		}
		l.append(mb, incoming("eins"))
		_, _, err := mb.SetFlags(ctx, uids(3, 4), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagDeleted}})
		body3, body4 := l.seen[3], l.seen[4]
		delete(l.sure, body3)
		delete(l.sure, body4)
		if mb.Expunge(ctx, mailparts.AllUIDs(), mailparts.FlagDeleted) == nil && err == nil {
			l.gone[body3], l.gone[body4] = true, true
		}
		l.look(mb)
	}},
	{"append and expunge at once", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.append(mb, incoming("eins"))
		l.append(mb, incoming("zwei", mailparts.FlagSeen))
		delete(l.sure, "zwei")
		if mb.Expunge(context.Background(), mailparts.AllUIDs(), mailparts.FlagSeen) == nil {
			l.gone["zwei"] = true
		}
	}},
	{"uidlist rewrite", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		f, err := l.fsys.OpenFile(root+"/user/dovecot-uidlist", os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return
		}
		io.WriteString(f, "no line\n")
		if f.Close() != nil {
			return
		}
		l.append(mb, incoming("eins"))
		l.look(mb)
		l.append(mb, incoming("zwei"))
	}},
	{"another process too", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		other, err := l.other.Open(context.Background(), "user")
		if err != nil {
			return
		}
		theirs, err := other.Mailbox(context.Background(), "INBOX")
		if err != nil {
			return
		}
		l.append(theirs, incoming("eins"))
		l.look(mb)
		l.look(mb)
	}},
}

// five sets up the mailbox of workloads.
func five(t testing.TB, fsys *disktest.FS) *ledger {
	mb := openMailbox(t, on(fsys), "INBOX")
	l := newLedger()
	for i := range 5 {
		m := incoming(fmt.Sprintf("message %d\r\n", i+1))
		if i >= 3 {
			m.Flags = []mailparts.Flag{mailparts.FlagAnswered}
		}
		l.append(mb, m)
	}
	l.look(mb)
	return l
}

func TestCrash(t *testing.T) {
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			disktest.Crash(t, func(fsys *disktest.FS) {
				synctest.Test(t, func(t *testing.T) { five(t, fsys) })
			}, func(fsys *disktest.FS) (l *ledger) {
				synctest.Test(t, func(t *testing.T) { l = run(t, fsys, w.do) })
				return l
			}, func(t *testing.T, after *disktest.FS, l *ledger) {
				synctest.Test(t, func(t *testing.T) { l.copy().check(t, after, "INBOX") })
			})
		})
	}
}

// run does a workload on what five has set up.
func run(t *testing.T, fsys *disktest.FS, do func(*ledger, mailparts.Store, mailparts.Mailbox)) *ledger {
	time.Sleep(24 * time.Hour)
	l := newLedger()
	for i := range 5 {
		body := fmt.Sprintf("message %d\r\n", i+1)
		l.sure[body], l.seen[mailparts.UID(i+1)] = true, body
	}
	l.next, l.other, l.fsys = 6, on(fsys), fsys
	s, err := on(fsys).Open(t.Context(), "user")
	if err != nil {
		return l
	}
	mb, err := s.Mailbox(t.Context(), "INBOX")
	if err != nil {
		return l
	}
	do(l, s, mb)
	return l
}

func (l *ledger) copy() *ledger {
	c := newLedger()
	c.validity, c.next = l.validity, l.next
	maps.Copy(c.seen, l.seen)
	maps.Copy(c.sure, l.sure)
	maps.Copy(c.gone, l.gone)
	maps.Copy(c.refused, l.refused)
	c.changed = l.changed
	return c
}

// The first delivery to a user makes the tree.
func TestCrashFirstDelivery(t *testing.T) {
	disktest.Crash(t, nil, func(fsys *disktest.FS) (l *ledger) {
		synctest.Test(t, func(t *testing.T) {
			l = newLedger()
			s, err := on(fsys).Open(t.Context(), "user")
			if err != nil {
				return
			}
			mb, err := s.Mailbox(t.Context(), "INBOX")
			if err != nil {
				return
			}
			l.append(mb, incoming("first"))
		})
		return l
	}, func(t *testing.T, after *disktest.FS, l *ledger) {
		synctest.Test(t, func(t *testing.T) { l.copy().check(t, after, "INBOX") })
	})
}

// Every operation fails once, in a process that lives on: what was acknowledged is
// there, and what was refused is not.
func TestFail(t *testing.T) {
	for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
		for _, w := range workloads {
			t.Run(fmt.Sprintf("%v/%s", cause, w.name), func(t *testing.T) {
				disktest.Fail(t, cause, func(fsys *disktest.FS) {
					synctest.Test(t, func(t *testing.T) { five(t, fsys) })
				}, func(fsys *disktest.FS) (l *ledger) {
					synctest.Test(t, func(t *testing.T) { l = run(t, fsys, w.do) })
					return l
				}, func(t *testing.T, after *disktest.FS, l *ledger) {
					synctest.Test(t, func(t *testing.T) {
						c := l.copy()
						maps.Copy(c.gone, c.refused)
						c.check(t, after, "INBOX")
					})
				})
			})
		}
	}
}

// More messages than UIDs are reserved at a time.
func TestCrashAfterLargeBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		l := newLedger()
		l.append(mb, incoming("message"))
		var msgs []mailparts.Incoming
		for i := range 1500 {
			msgs = append(msgs, incoming(fmt.Sprint("message ", i)))
		}
		l.append(mb, msgs...)
		for uid := mailparts.UID(1400); uid <= 1501; uid++ {
			delete(l.sure, l.seen[uid])
		}
		must(t, mb.Expunge(t.Context(), mailparts.UIDSet{{First: 1400, Last: 1501}}, ""))
		l.check(t, fsys.Reboot(disktest.Strict), "INBOX")
	})
}
