package mbox_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// crashedExpunge is a disk on which an expunge was cut short between the journal and
// the mailbox.
func crashedExpunge(t *testing.T) *disktest.FS {
	t.Helper()
	fsys := diskWith(t, "")
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	for _, body := range []string{"eins", "zwei", "drei"} {
		_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\n"+body+"\r\n"))
		must(t, err)
	}
	fsys.Before = func(op disktest.Op) error {
		if op.Path == inboxPath && (strings.HasPrefix(op.Name, "write") || op.Name == "truncate" || op.Name == "allocate") {
			return disktest.ErrCrashed
		}
		return nil
	}
	if err := mb.Expunge(t.Context(), uids(1), ""); err == nil {
		t.Fatal("Expunge has not crashed")
	}
	return fsys.Reboot(disktest.Kept)
}

// A journal is never applied to what it was not written for, and is not lost then.
func TestJournalMisfit(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, fsys *disktest.FS){
		"cut": func(t *testing.T, fsys *disktest.FS) { putFile(t, fsys, inboxPath, fsys.Files()[inboxPath][:300]) },
		"replaced": func(t *testing.T, fsys *disktest.FS) {
			putFile(t, fsys, inboxPath, strings.Repeat(foreignMessage("new"), 50))
		},
		"removed": func(t *testing.T, fsys *disktest.FS) { must(t, fsys.Remove(inboxPath)) },
	} {
		t.Run(what, func(t *testing.T) {
			fsys := crashedExpunge(t)
			spoil(t, fsys)
			mb := openMailbox(t, backendOn(fsys), "INBOX")
			got := listing(t, mb)
			aside := 0
			for name := range fsys.Files() {
				if strings.Contains(filepath.Base(name), ".journal.bad") {
					aside++
				}
			}
			want := map[string]int{"cut": 1, "replaced": 50}[what]
			if what == "removed" {
				_, err := mailparts.Append(t.Context(), mb, incoming("new"))
				must(t, err)
				want, got = 1, listing(t, openMailbox(t, backendOn(fsys), "INBOX"))
			}
			if len(got) != want || aside != 1 {
				t.Errorf("there are %d messages, want %d, and %d journals aside: %q", len(got), want, aside, got)
			}
		})
	}
}

// One that fits is applied, also if that is cut short again, and so is what others
// deliver in between kept.
func TestJournalAppliedLater(t *testing.T) {
	for n := 1; ; n++ {
		done := false
		synctest.Test(t, func(t *testing.T) {
			fsys := crashedExpunge(t)
			deliverRaw(t, fsys, inboxPath, foreignMessage("vier"))
			fsys = fsys.Reboot(disktest.Kept)
			fsys.CrashAt(n)
			s, err := backendOn(fsys).Open(t.Context(), "user")
			if err == nil {
				_, err = s.Mailbox(t.Context(), "INBOX")
			}
			done = err == nil
			for _, mode := range disktest.Modes() {
				after := fsys.Reboot(mode)
				after.Remove(inboxPath + ".lock")
				deliverRaw(t, after, inboxPath, foreignMessage("fünf"))
				got := listing(t, openMailbox(t, backendOn(after), "INBOX"))
				var bodies []string
				for _, line := range got {
					bodies = append(bodies, line[strings.LastIndex(line, " ")+1:])
				}
				if !slices.Equal(bodies, []string{"zwei", "drei", "vier", "fünf"}) || got[0] != "2 [] zwei" || got[1] != "3 [] drei" {
					t.Errorf("cut short again at %d, %v: the mailbox has %q", n, mode, got)
				}
			}
		})
		if done || t.Failed() {
			break
		}
	}
}

// An append whose file could not be synced, and could not be cut then, is cut later: it
// was answered with an error, and is tried again.
func TestAppendTakenBackLater(t *testing.T) {
	fsys := diskWith(t, foreignMessage("eins"))
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	fsys.Before = func(op disktest.Op) error {
		if op.Path == inboxPath && (op.Name == "sync" || op.Name == "truncate") {
			return syscall.EIO
		}
		return nil
	}
	if _, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nzwei\r\n")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Append: %v, want EIO", err)
	}
	fsys.Before = nil
	_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nzwei\r\n"))
	must(t, err)
	for what, fsys := range map[string]*disktest.FS{"at once": fsys, "later": fsys.Reboot(disktest.Strict)} {
		wantListing(t, what, openMailbox(t, backendOn(fsys), "INBOX"), "1 [] eins", "3 [] zwei")
	}
}

// An append that was acknowledged stays also if another program takes out an earlier
// message and the power fails before the journal has got to the disk: what stands where
// it began is not what it wrote.
func TestAppendMovedByOthers(t *testing.T) {
	for what, out := range map[string]int{"less": 1, "more": 2} {
		t.Run(what, func(t *testing.T) {
			fsys := diskWith(t, foreignMessage("eins")+foreignMessage("zwei")+foreignMessage("drei")+foreignMessage(strings.Repeat("vier ", 200)))
			mb := openMailbox(t, backendOn(fsys), "INBOX")
			_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nfünf "+strings.Repeat("long ", 300)+"\r\n"))
			must(t, err)
			text := fsys.Files()[inboxPath]
			mails := strings.SplitAfter(text, "\n\nFrom ")
			putFile(t, fsys, inboxPath, strings.Join(append(mails[:1:1], mails[1+out:]...), ""))
			want := listing(t, openMailbox(t, backendOn(fsys.Reboot(disktest.Kept)), "INBOX"))
			got := openMailbox(t, backendOn(fsys.Reboot(disktest.Strict)), "INBOX")
			wantListing(t, "after the power cut", got, want...)
			if len(want) != 5-out {
				t.Errorf("there are %d messages, want %d", len(want), 5-out)
			}
		})
	}
}
