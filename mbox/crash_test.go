package mbox_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/mbox"
)

const (
	tree      = "/mail"
	inboxPath = tree + "/user/inbox"
)

// backendOn returns a Backend on a disk.
func backendOn(fsys disk.FS) *mbox.Backend {
	b := &mbox.Backend{Root: tree}
	b.SetFS(fsys)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openMailbox(t testing.TB, b mailparts.Backend, name string) mailparts.Mailbox {
	t.Helper()
	s, err := b.Open(context.Background(), "user")
	must(t, err)
	mb, err := s.Mailbox(context.Background(), name)
	must(t, err)
	return mb
}

func incoming(body string, flags ...mailparts.Flag) mailparts.Incoming {
	return mailparts.Incoming{Body: strings.NewReader(body), Flags: flags}
}

func uids(list ...mailparts.UID) (set mailparts.UIDSet) {
	for _, u := range list {
		set.Add(u, u)
	}
	return set
}

func readBody(mb mailparts.Mailbox, uid mailparts.UID) (string, error) {
	r, err := mb.Body(context.Background(), uid)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// putFile writes a file of another program, durably if it is a disktest.FS's.
func putFile(t testing.TB, fsys disk.FS, name, content string) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	must(t, err)
	_, err = io.WriteString(f, content)
	must(t, errors.Join(err, f.Sync(), f.Close()))
}

// deliverRaw appends to a file as a program does that knows of nothing.
func deliverRaw(t testing.TB, fsys disk.FS, name, content string) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(t, err)
	_, err = io.WriteString(f, content)
	must(t, errors.Join(err, f.Sync(), f.Close()))
}

// foreignMessage is one of procmail's.
func foreignMessage(body string) string {
	return "From them@example.com Mon Jan  1 00:00:00 2024\nSubject: foreign\n\n" + body + "\n\n"
}

// foreignBody is what Body yields of it.
func foreignBody(body string) string { return "Subject: foreign\r\n\r\n" + body + "\r\n" }

// ledger is what a workload was told before the crash.
type ledger struct {
	validity uint32
	sure     map[string]bool          // bodies of messages that must be there
	gone     map[string]bool          // and that must not
	refused  map[string]bool          // and of those that an error was answered to
	tried    map[string]bool          // bodies of all that was appended
	batches  [][]string               // of which all are there or none
	torn     bool                     // another program crashed, and left what it left
	seen     map[mailparts.UID]string // body of each UID that anyone was told of
	flagged  map[mailparts.UID]bool   // UIDs that surely have the flag
	next     mailparts.UID            // the highest UIDNext that was told
	fsys     *disktest.FS
}

func newLedger() *ledger {
	return &ledger{sure: map[string]bool{}, gone: map[string]bool{}, refused: map[string]bool{}, tried: map[string]bool{}, seen: map[mailparts.UID]string{}, flagged: map[mailparts.UID]bool{}}
}

// look notes what a session sees.
func (l *ledger) look(mb mailparts.Mailbox) {
	ctx := context.Background()
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			return
		}
		if body, err := readBody(mb, m.UID); err == nil {
			l.seen[m.UID] = body
		}
	}
	if st, err := mb.Status(ctx); err == nil {
		l.validity, l.next = st.UIDValidity, max(l.next, st.UIDNext)
	}
}

func (l *ledger) append(mb mailparts.Mailbox, bodies ...string) error {
	placed, err := mb.Append(context.Background(), func(yield func(mailparts.Incoming, error) bool) {
		for _, body := range bodies {
			if !yield(incoming(body), nil) {
				return
			}
		}
	})
	l.batches = append(l.batches, bodies)
	for _, body := range bodies {
		l.tried[body] = true
	}
	if err != nil {
		for _, body := range bodies {
			l.refused[body] = true
		}
		return err
	}
	i := 0
	for _, r := range placed.UIDs {
		for u := r.First; u <= r.Last; u++ {
			l.seen[u], l.sure[bodies[i]] = bodies[i], true
			i++
		}
	}
	l.validity = placed.UIDValidity
	return nil
}

func (l *ledger) expunge(mb mailparts.Mailbox, set mailparts.UIDSet) {
	for u := range l.seen {
		if set.Contains(u) {
			delete(l.sure, l.seen[u])
			delete(l.flagged, u)
		}
	}
	if mb.Expunge(context.Background(), set, "") != nil {
		return
	}
	for u, body := range l.seen {
		if set.Contains(u) {
			l.gone[body] = true
		}
	}
}

func (l *ledger) flag(mb mailparts.Mailbox, set mailparts.UIDSet, flags ...mailparts.Flag) {
	_, _, err := mb.SetFlags(context.Background(), set, mailparts.FlagChange{Flags: append(flags, mailparts.FlagFlagged)})
	for u := range l.seen {
		if set.Contains(u) && err == nil {
			l.flagged[u] = true
		}
	}
}

// deliver is what another program does, whether it was acknowledged or not.
func (l *ledger) deliver(body string) {
	f, err := l.fsys.OpenFile(inboxPath, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	_, err = io.WriteString(f, foreignMessage(body))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		l.sure[foreignBody(body)] = true
	} else {
		l.torn = true
	}
}

// check looks at the mailbox after the crash, and then goes on with it.
func (l *ledger) check(t *testing.T, fsys *disktest.FS, name string) {
	t.Helper()
	mb := openMailbox(t, backendOn(fsys), name)
	l.checkMailbox(t, mb)
	for range 2 {
		body := fmt.Sprint("after the crash ", len(l.seen))
		placed, err := mailparts.Append(context.Background(), mb, incoming(body))
		must(t, err)
		uid := placed.UIDs[0].First
		if was, ok := l.seen[uid]; ok {
			t.Errorf("UID %d of %q is given to a new message", uid, was)
		}
		if uid < l.next {
			t.Errorf("UID %d is given after UIDNext was %d", uid, l.next)
		}
		l.seen[uid], l.sure[body] = body, true
	}
	st, err := mb.Status(context.Background())
	must(t, err)
	l.validity, l.next = st.UIDValidity, st.UIDNext
	l.checkMailbox(t, openMailbox(t, backendOn(fsys), name))
	if t.Failed() {
		t.Logf("the file: %q", fsys.Files()[inboxPath])
	}
}

func (l *ledger) checkMailbox(t *testing.T, mb mailparts.Mailbox) {
	t.Helper()
	st, err := mb.Status(context.Background())
	must(t, err)
	if l.validity != 0 && st.UIDValidity != l.validity {
		t.Errorf("UIDVALIDITY is %d, was %d", st.UIDValidity, l.validity)
	}
	if st.UIDNext < l.next {
		t.Errorf("UIDNext is %d, was %d", st.UIDNext, l.next)
	}
	found := map[string]int{}
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		found[body]++
		if was, ok := l.seen[m.UID]; ok && was != body {
			t.Errorf("UID %d is %q, was %q", m.UID, body, was)
		}
		if l.flagged[m.UID] && !strings.Contains(fmt.Sprint(m.Flags), `\Flagged`) {
			t.Errorf("UID %d has lost its flag: %v", m.UID, m.Flags)
		}
		if int64(len(body)) != m.Size {
			t.Errorf("UID %d: Size is %d, Body has %d octets", m.UID, m.Size, len(body))
		}
		l.seen[m.UID] = body
	}
	for body := range l.sure {
		if found[body] != 1 {
			t.Errorf("message %q is there %d times, want once", body, found[body])
		}
	}
	for body, n := range found {
		known := l.sure[body] || l.tried[body] || strings.HasPrefix(body, "message ") || strings.HasPrefix(body, "Subject: foreign")
		if n > 1 || l.gone[body] || !known {
			t.Errorf("message %q is there %d times, gone for good: %v", body, n, l.gone[body])
		}
	}
	for _, bodies := range l.batches {
		n := 0
		for _, body := range bodies {
			n += found[body]
		}
		if n != 0 && n != len(bodies) && !l.gone[bodies[0]] {
			t.Errorf("of the batch %q %d messages are there", bodies, n)
		}
	}
}

// mboxWorkloads are what is done to a mailbox with five messages. All of them write
// down what they are told.
var mboxWorkloads = []struct {
	name string
	do   func(l *ledger, s mailparts.Store, mb mailparts.Mailbox)
}{
	{"append", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.append(mb, "eins")
		l.look(mb)
		l.append(mb, "zwei\r\n")
		l.append(mb, "Subject: drei\r\n\r\nFrom here on Mon Jan  1 00:00:00 2024\r\n")
	}},
	{"append of a batch", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.append(mb, "eins", "Subject: zwei\r\n\r\nzwei\r\n", "drei")
		l.append(mb, "vier", "fünf")
	}},
	{"flags in place", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.flag(mb, uids(1, 4))
		l.append(mb, "eins")
		l.flag(mb, uids(2, 4, 6))
		l.look(mb)
	}},
	{"flags that need room", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.flag(mb, uids(2, 4), "a-keyword-that-is-as-long-as-the-room-for-it", "and-another-one-that-is-long-too")
		l.append(mb, "eins")
	}},
	{"expunge", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		l.expunge(mb, uids(5))
		l.expunge(mb, uids(1, 3))
		l.append(mb, "eins")
		l.look(mb)
	}},
	{"expunge of all", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		l.expunge(mb, mailparts.AllUIDs())
		l.look(mb)
		l.append(mb, "eins")
		l.expunge(mb, mailparts.AllUIDs())
	}},
	{"others deliver", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		l.deliver("eins")
		l.look(mb)
		l.deliver("zwei")
		l.append(mb, "drei")
		l.deliver("vier")
		l.expunge(mb, uids(2))
		l.look(mb)
	}},
	{"copy", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		m := s.(mailparts.Manager)
		if m.Create(context.Background(), "other") != nil {
			return
		}
		other, err := s.Mailbox(context.Background(), "other")
		if err != nil {
			return
		}
		mailparts.Copy(context.Background(), mb, uids(1, 2), other)
		l.append(mb, "eins")
	}},
	{"another process too", func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
		l.look(mb)
		other, err := backendOn(l.fsys).Open(context.Background(), "user")
		if err != nil {
			return
		}
		theirs, err := other.Mailbox(context.Background(), "INBOX")
		if err != nil {
			return
		}
		l.append(theirs, "eins")
		l.look(mb)
		l.flag(theirs, uids(1))
		l.expunge(mb, uids(3))
		l.look(theirs)
	}},
}

// fiveIn sets up the mailbox of workloads.
func fiveIn(t testing.TB, fsys *disktest.FS) {
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	for i := range 5 {
		_, err := mailparts.Append(context.Background(), mb, incoming(fmt.Sprintf("message %d\r\n", i+1)))
		must(t, err)
	}
}

// runWorkload does a workload on what fiveIn has set up.
func runWorkload(t *testing.T, fsys *disktest.FS, do func(*ledger, mailparts.Store, mailparts.Mailbox)) *ledger {
	l := newLedger()
	for i := range 5 {
		body := fmt.Sprintf("message %d\r\n", i+1)
		l.sure[body], l.seen[mailparts.UID(i+1)] = true, body
	}
	l.next, l.fsys = 6, fsys
	s, err := backendOn(fsys).Open(t.Context(), "user")
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

// crashAll has the crash tests check every mode at every operation of every workload,
// for minutes. Else they take a sample.
var crashAll = flag.Bool("mbox.crashall", false, "check every way to crash")

// sampled reports whether a check is to be made.
func sampled(t *testing.T) bool {
	every := uint32(11)
	if testing.Short() {
		every = 37
	}
	return *crashAll || crc32.ChecksumIEEE([]byte(t.Name()))%every == 0
}

func (l *ledger) copy() *ledger {
	c := *l
	c.sure, c.gone, c.refused, c.seen, c.flagged = maps.Clone(l.sure), maps.Clone(l.gone), maps.Clone(l.refused), maps.Clone(l.seen), maps.Clone(l.flagged)
	return &c
}

// Whatever operation the crash came at, and whether another program delivers then
// before we look or not, all is there that was acknowledged.
func TestCrash(t *testing.T) {
	for i, w := range mboxWorkloads {
		if !*crashAll && i%2 == 0 || testing.Short() && i%4 != 1 {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			disktest.Crash(t, func(fsys *disktest.FS) {
				synctest.Test(t, func(t *testing.T) { fiveIn(t, fsys) })
			}, func(fsys *disktest.FS) (l *ledger) {
				synctest.Test(t, func(t *testing.T) { l = runWorkload(t, fsys, w.do) })
				return l
			}, func(t *testing.T, after *disktest.FS, l *ledger) {
				if l.torn || !sampled(t) {
					return
				}
				again := after.Reboot(disktest.Kept)
				synctest.Test(t, func(t *testing.T) { l.copy().check(t, after, "INBOX") })
				synctest.Test(t, func(t *testing.T) {
					l := l.copy()
					again.Remove(inboxPath + ".lock") // procmail waits until it is stale
					for i := range 2 {
						body := fmt.Sprint("delivered after the crash ", i, strings.Repeat(" and long", 60*i))
						deliverRaw(t, again, inboxPath, foreignMessage(body))
						l.sure[foreignBody(body)] = true
					}
					l.check(t, again, "INBOX")
				})
			})
		})
	}
}

// In a mailbox of programs that know no UIDs, all messages get them.
func TestCrashNumbering(t *testing.T) {
	for name, text := range map[string]string{
		"new":     foreignMessage("eins") + foreignMessage("zwei"),
		"spoofed": strings.ReplaceAll(foreignMessage("eins")+foreignMessage("zwei"), "Subject", "X-UID: 7\nX-IMAPbase: 4 4294967290\nStatus: RO\nSubject"),
	} {
		t.Run(name, func(t *testing.T) {
			disktest.Crash(t, func(fsys *disktest.FS) {
				synctest.Test(t, func(t *testing.T) {
					must(t, disk.MkdirAll(fsys, tree+"/user", 0o700))
					putFile(t, fsys, inboxPath, text)
					must(t, fsys.SyncDir(tree+"/user"))
				})
			}, func(fsys *disktest.FS) (l *ledger) {
				synctest.Test(t, func(t *testing.T) {
					l = newLedger()
					l.fsys = fsys
					l.sure[foreignBody("eins")], l.sure[foreignBody("zwei")] = true, true
					s, err := backendOn(fsys).Open(t.Context(), "user")
					if err != nil {
						return
					}
					if mb, err := s.Mailbox(t.Context(), "INBOX"); err == nil {
						l.look(mb)
						l.deliver("drei")
						l.look(mb)
					}
				})
				return l
			}, func(t *testing.T, after *disktest.FS, l *ledger) {
				if !l.torn && sampled(t) {
					synctest.Test(t, func(t *testing.T) { l.copy().check(t, after, "INBOX") })
				}
			})
		})
	}
}

// Every operation fails once, in a process that lives on: what was acknowledged is
// there, and what was refused is not.
func TestFail(t *testing.T) {
	for c, cause := range []error{syscall.EIO, syscall.ENOSPC, syscall.EACCES} {
		for i, w := range mboxWorkloads {
			if !*crashAll && (i%4 != c || testing.Short() && i > 3) {
				continue
			}
			t.Run(fmt.Sprintf("%v/%s", cause, w.name), func(t *testing.T) {
				disktest.Fail(t, cause, func(fsys *disktest.FS) {
					synctest.Test(t, func(t *testing.T) { fiveIn(t, fsys) })
				}, func(fsys *disktest.FS) (l *ledger) {
					synctest.Test(t, func(t *testing.T) { l = runWorkload(t, fsys, w.do) })
					return l
				}, func(t *testing.T, after *disktest.FS, l *ledger) {
					if l.torn || !sampled(t) {
						return
					}
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
