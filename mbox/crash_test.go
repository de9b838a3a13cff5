package mbox_test

import (
	"context"
	"flag"
	"fmt"
	"hash/crc32"
	"maps"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

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
	every := uint32(7)
	if testing.Short() {
		every = 24
	}
	return *crashAll || crc32.ChecksumIEEE([]byte(t.Name()))%every == 0
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
