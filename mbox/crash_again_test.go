package mbox_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// A crash during the recovery from a crash changes nothing: the next recovery finds
// what the first would have. The first crash is one before the mailbox is synced, with
// its last write torn.
func TestCrashInRecovery(t *testing.T) {
	for name, do := range map[string]func(l *ledger, s mailparts.Store, mb mailparts.Mailbox){
		"append": func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) { l.append(mb, "eins", "zwei\r\n") },
		"flags": func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) {
			l.flag(mb, uids(2, 4), "a-keyword-that-is-as-long-as-the-room-for-it", "and-another-one-that-is-long-too")
		},
		"expunge": func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) { l.expunge(mb, uids(1, 3)) },
	} {
		for _, delivered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/delivered %v", name, delivered), func(t *testing.T) {
				fsys := disktest.New()
				var l *ledger
				synctest.Test(t, func(t *testing.T) { fiveIn(t, fsys) })
				fsys.Before = func(op disktest.Op) error {
					if op == (disktest.Op{Name: "sync", Path: inboxPath}) {
						fsys.CrashAt(1)
					}
					return nil
				}
				synctest.Test(t, func(t *testing.T) { l = runWorkload(t, fsys, do) })
				crashAgain(t, fsys.Reboot(disktest.Torn), l, delivered)
			})
		}
	}
}

// crashAgain crashes at each operation of a recovery, after a delivery of another
// program or without.
func crashAgain(t *testing.T, after *disktest.FS, l *ledger, delivered bool) {
	modes := disktest.Modes()
	for n, done := 1, false; !done && !t.Failed(); n++ {
		l, fsys := l.copy(), after.Reboot(disktest.Kept)
		synctest.Test(t, func(t *testing.T) {
			if delivered {
				deliverRaw(t, fsys, inboxPath, foreignMessage("meanwhile"))
				l.sure[foreignBody("meanwhile")] = true
			}
			fsys.Remove(inboxPath + ".lock") // who comes would wait until it is stale, operation by operation
			fsys.CrashAt(n)
			s, err := backendOn(fsys).Open(context.Background(), "user")
			if err == nil {
				_, err = s.Mailbox(context.Background(), "INBOX")
			}
			done = err == nil
		})
		for i, mode := range modes {
			if !*crashAll && i != n%len(modes) && mode != disktest.Strict {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				fsys := fsys.Reboot(mode)
				fsys.Remove(inboxPath + ".lock")
				l.copy().check(t, fsys, "INBOX")
			})
			if t.Failed() {
				t.Fatalf("crashed again at operation %d, %v", n, mode)
			}
		}
	}
}

// What others deliver after an append that a crash has torn does not become part of the
// message before, which ends within a line.
func TestTornAppendAfterHalfLine(t *testing.T) {
	for _, end := range []string{"", "\n"} {
		fsys := disktest.New()
		var l *ledger
		synctest.Test(t, func(t *testing.T) {
			fiveIn(t, fsys)
			must(t, disk.WriteFile(fsys, inboxPath, []byte(strings.TrimRight(fsys.Files()[inboxPath], "\n")+end), 0o600))
			openMailbox(t, backendOn(fsys), "INBOX")
		})
		fsys.Before = func(op disktest.Op) error {
			if op == (disktest.Op{Name: "sync", Path: inboxPath}) {
				fsys.CrashAt(1)
			}
			return nil
		}
		synctest.Test(t, func(t *testing.T) {
			l = runWorkload(t, fsys, func(l *ledger, s mailparts.Store, mb mailparts.Mailbox) { l.append(mb, "eins\r\n", "zwei\r\n") })
		})
		synctest.Test(t, func(t *testing.T) {
			fsys := fsys.Reboot(disktest.Torn)
			deliverRaw(t, fsys, inboxPath, foreignMessage("meanwhile"))
			fsys.Remove(inboxPath + ".lock")
			l.sure[foreignBody("meanwhile")] = true
			l.check(t, fsys, "INBOX")
		})
	}
}
