package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// What other programs do to a mailbox, while it is open.

func TestForeignDelivery(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, on(fsys), "INBOX")
	want(t, mb)
	user := root + "/user/"
	put(t, fsys, user+"new/20.x", "later\n")
	put(t, fsys, user+"new/3.x", "first\n")
	put(t, fsys, user+"cur/10.x:2,RS", "crlf\r\nbare\n")
	put(t, fsys, user+"new/.hidden", "no message")
	put(t, fsys, user+"new/bad\nname", "no message")
	must(t, fsys.Mkdir(user+"cur/folder", 0o700))
	must(t, fsys.Mkdir(user+"new/9.x,S=18", 0o700))
	lines := []string{"1 [] first\r\n", `2 [\Answered \Seen] crlf` + "\r\nbare\r\n", "3 [] later\r\n"}
	want(t, mb, lines...)
	want(t, openMailbox(t, on(fsys), "INBOX"), lines...)
	if st := status(t, mb); st.UIDNext != 4 {
		t.Errorf("UIDNext is %d", st.UIDNext)
	}
}

func TestForeignChanges(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, on(fsys), "INBOX")
	for _, body := range []string{"a", "b", "c"} {
		deliver(t, mb, body)
	}
	want(t, mb, "1 [] a", "2 [] b", "3 [] c")
	files := in(fsys, "new/*")
	cur := func(file, info string) string { return strings.Replace(file, "/new/", "/cur/", 1) + info }
	must(t, fsys.Rename(files[0], cur(files[0], ":2,S")))
	must(t, fsys.Rename(files[1], cur(files[1], ":2,")))
	must(t, fsys.Remove(files[2]))
	want(t, mb, `1 [\Seen] a`, "2 [] b")
	must(t, fsys.Rename(cur(files[0], ":2,S"), cur(files[0], ":2,PSa"))) // a keyword without a name
	if _, _, err := mb.SetFlags(t.Context(), uids(1, 2, 3), mailparts.FlagChange{Op: mailparts.ReplaceFlags, Flags: []mailparts.Flag{mailparts.FlagDraft, "$Junk"}}); err != nil {
		t.Fatal(err)
	}
	want(t, mb, `1 [\Draft $Junk] a`, `2 [\Draft $Junk] b`)
	if got := in(fsys, "cur/*"); len(got) != 2 || got[0] != cur(files[0], ":2,DPb") || got[1] != cur(files[1], ":2,Db") {
		t.Errorf("files are %q", got)
	}
}

// interfere calls f once, before the n-th operation with this name.
func interfere(fsys *disktest.FS, name string, n int, f func()) {
	var mu sync.Mutex
	fsys.Before = func(op disktest.Op) error {
		mu.Lock()
		if op.Name == name {
			n--
		}
		now := op.Name == name && n == 0
		mu.Unlock()
		if now {
			f()
		}
		return nil
	}
}

// Another program renames or removes a message before each operation of ours.
func TestForeignRace(t *testing.T) {
	ops := []string{"stat", "readdir", "openfile", "read", "readat", "lock", "rename", "link", "remove", "syncdir", "chtimes", "close"}
	calls := map[string]func(mb mailparts.Mailbox) error{
		"Messages": func(mb mailparts.Mailbox) error {
			n := 0
			for _, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantDates | mailparts.WantSize}) {
				if err != nil {
					return err
				}
				n++
			}
			if n != 2 {
				return fmt.Errorf("%d messages, want 2", n)
			}
			return nil
		},
		"Body": func(mb mailparts.Mailbox) error {
			body, err := readBody(mb, 1)
			if err == nil && body != "a" {
				err = fmt.Errorf("body is %q", body)
			}
			return err
		},
		"SetFlags": func(mb mailparts.Mailbox) error {
			_, _, err := mb.SetFlags(context.Background(), mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
			return err
		},
		"Append": func(mb mailparts.Mailbox) error {
			_, err := mailparts.Append(context.Background(), mb, incoming("c"))
			return err
		},
		"Expunge": func(mb mailparts.Mailbox) error { return mb.Expunge(context.Background(), uids(2), "") },
	}
	after := map[string][]string{
		"Messages": {`1 [\Draft] a`, "2 [] b"},
		"Body":     {`1 [\Draft] a`, "2 [] b"},
		"SetFlags": {`1 [\Draft \Seen] a`, `2 [\Seen] b`},
		"Append":   {`1 [\Draft] a`, "2 [] b", "3 [] c"},
		"Expunge":  {`1 [\Draft] a`},
	}
	for name, call := range calls {
		for _, op := range ops {
			for n := 1; n <= 12; n++ {
				fsys := disktest.New()
				mb := openMailbox(t, on(fsys), "INBOX")
				deliver(t, mb, "a")
				deliver(t, mb, "b")
				want(t, mb, "1 [] a", "2 [] b")
				from := slices.MinFunc(in(fsys, "new/*"), func(a, b string) int { return maildir.Arrival(filepath.Base(a), filepath.Base(b)) })
				met := false
				interfere(fsys, op, n, func() {
					met = true
					dst := strings.Replace(from, "/new/", "/cur/", 1)
					if err := fsys.Rename(from, dst+":2,D"); err != nil {
						if err := fsys.Rename(dst+":2,S", dst+":2,DS"); err != nil {
							t.Errorf("cannot interfere: %v", err)
						}
					}
				})
				err := call(mb)
				fsys.Before = nil
				if err != nil {
					t.Errorf("%s with a rename before the %d. %s: %v", name, n, op, err)
				}
				if !met {
					break
				}
				if got := describe(t, mb); name != "SetFlags" && !slices.Equal(got, after[name]) {
					t.Errorf("%s with a rename before the %d. %s: mailbox has %q, want %q", name, n, op, got, after[name])
				} else if len(got) != len(after[name]) {
					t.Errorf("%s with a rename before the %d. %s: mailbox has %q", name, n, op, got)
				}
			}
		}
	}
}

// A file that one look misses because it is renamed meanwhile is not gone.
func TestSecondLook(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, on(fsys), "INBOX")
	deliver(t, mb, "a", mailparts.FlagSeen)
	want(t, mb, `1 [\Seen] a`)
	file, cur := in(fsys, "cur/*")[0], root+"/user/cur"
	must(t, fsys.Chtimes(cur, time.Now()))
	state := 0
	fsys.Before = func(op disktest.Op) error {
		switch {
		case op.Name == "readdir" && op.Path == cur && state == 0:
			state = 1
			return fsys.Rename(file, root+"/user/away") // as if readdir had missed it
		case op.Name == "stat" && op.Path == cur && state == 1:
			state = 2
			return fsys.Rename(root+"/user/away", file)
		}
		return nil
	}
	want(t, mb, `1 [\Seen] a`)
	if state != 2 {
		t.Error("the file was not missed")
	}
}

// A change in the same tick of the clock as a look at the folder is seen.
func TestSameTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where time stands still
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		for i := 1; i <= 3; i++ {
			put(t, fsys, root+"/user/new/"+strings.Repeat("x", i), "foreign")
			if n := status(t, mb).Messages; n != uint32(i) {
				t.Errorf("%d messages, want %d", n, i)
			}
		}
		time.Sleep(time.Hour)
		status(t, mb)
		before := fsys.Ops()
		status(t, mb)
		if n := fsys.Ops() - before; n != 3 {
			t.Errorf("Status of a mailbox where nothing changes makes %d operations, want 3", n)
		}
	})
}

// What another program does in the moment of a change of ours is seen a little
// later, and not lost.
func TestSameMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		status(t, mb)
		time.Sleep(time.Hour + time.Millisecond)
		status(t, mb)
		interfere(fsys, "chtimes", 1, func() { put(t, fsys, root+"/user/new/foreign", "foreign") })
		deliver(t, mb, "ours")
		time.Sleep(time.Minute)
		want(t, mb, "1 [] ours", "2 [] foreign")
	})
}

// A message that moves from new/ to cur/ is durable in one of them when another
// process syncs one of them.
func TestFlagWhileDelivering(t *testing.T) {
	for _, op := range []string{"syncdir", "remove", "chtimes"} {
		fsys := disktest.New()
		mb, other := openMailbox(t, on(fsys), "INBOX"), openMailbox(t, on(fsys), "INBOX")
		deliver(t, mb, "a")
		d := deliver(t, other, "b")
		var after *disktest.FS
		interfere(fsys, op, 1, func() {
			fsys.Before = nil
			must(t, fsys.SyncDir(root+"/user/new"))
			after = fsys.Reboot(disktest.Strict)
		})
		_, _, err := mb.SetFlags(t.Context(), uids(1), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
		must(t, err)
		if after == nil {
			t.Fatalf("SetFlags makes no %s", op)
		}
		if n := len(append(in(after, "new/*"), in(after, "cur/*")...)); n < int(d) {
			t.Errorf("a crash before the %s loses a message", op)
		}
	}
}

// Folders that another program made, and did not sync, are durable when the first
// delivery to them is.
func TestForeignTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		for _, dir := range []string{"", "/user", "/user/tmp", "/user/new", "/user/cur", "/user/.a", "/user/.a/cur", "/user/.a/new", "/user/.a/tmp"} {
			must(t, fsys.Mkdir(root+dir, 0o700))
		}
		must(t, fsys.SyncDir("/"))
		deliver(t, openMailbox(t, on(fsys), "a"), "x")
		after := describe(t, openMailbox(t, on(fsys.Reboot(disktest.Strict)), "a"))
		if len(after) != 1 || !strings.HasSuffix(after[0], " x") {
			t.Errorf("after a crash the mailbox has %q", after)
		}
	})
}

// One base in two names is one message if it is one file, and two if they differ.
func TestTwins(t *testing.T) {
	fsys := tree(t, "", "new/1.same")
	user := root + "/user/"
	must(t, fsys.Link(user+"new/1.same", user+"cur/1.same:2,S"))
	put(t, fsys, user+"cur/2.other:2,S", "two")
	put(t, fsys, user+"cur/2.other:2,", "three")
	mb := openMailbox(t, on(fsys), "INBOX")
	got := describe(t, mb)
	got = append(got, describe(t, mb)...) // the renamed one is seen at the second look
	if want := `1 [\Seen] ` + mail("1"); got[0] != want || status(t, mb).Messages != 3 {
		t.Errorf("mailbox has %q", got)
	}
	if fsys.Files()[user+"new/1.same"] != "" {
		t.Error("the name in new/ of what is in cur/ is left")
	}
	bodies := strings.Join(describe(t, mb), " ")
	if !strings.Contains(bodies, "two") || !strings.Contains(bodies, "three") {
		t.Errorf("a message is lost: %q", bodies)
	}
}

// A message that another program flags while we flag others is stale, also when our
// own change comes in a second round.
func TestForeignFlagIsStale(t *testing.T) {
	for _, set := range []mailparts.UIDSet{uids(1), uids(1, 2)} {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		deliver(t, mb, "x", mailparts.FlagAnswered)
		file := in(fsys, "cur/*")[0]
		deliver(t, mb, "x", mailparts.FlagAnswered)
		since := status(t, mb).HighestModSeq
		interfere(fsys, "rename", 1, func() { must(t, fsys.Rename(file, file+"S")) })
		_, stale, err := mb.SetFlags(t.Context(), set, mailparts.FlagChange{Op: mailparts.AddFlags, Flags: []mailparts.Flag{mailparts.FlagFlagged}, UnchangedSince: since})
		if err != nil || stale.String() != "1" {
			t.Errorf("SetFlags of %v: stale are %q, %v, want 1", set, stale, err)
		}
		second := `2 [\Answered] x`
		if set.Contains(2) {
			second = `2 [\Flagged \Answered] x`
		}
		want(t, mb, `1 [\Answered \Seen] x`, second)
	}
}

// A name that has no room for flags stays in new/, and stops nobody.
func TestForeignLongName(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	mb := openMailbox(t, b, "INBOX")
	deliver(t, mb, "a")
	long := "2." + strings.Repeat("x", 252)
	must(t, os.WriteFile(filepath.Join(b.Root, "user", "new", long), []byte("b"), 0o600))
	recent := mb.(mailparts.RecentClaimer)
	for _, last := range []mailparts.UID{2, 0} {
		claimed, err := recent.ClaimRecent(t.Context())
		if err != nil || claimed.Last != last {
			t.Errorf("ClaimRecent: %v, %v, want up to %d", claimed, err, last)
		}
	}
	want(t, mb, "1 [] a", "2 [] b")
	if files, _ := os.ReadDir(filepath.Join(b.Root, "user", "new")); len(files) != 1 || files[0].Name() != long {
		t.Errorf("new/ has %v", files)
	}
}

// goesLocked is a disk whose folder is deleted while somebody waits for its lock.
type goesLocked struct {
	disk.FS
	folder string
}

func (d goesLocked) Lock(name string) (io.Closer, error) {
	lock, err := d.FS.Lock(name)
	if err == nil && filepath.Dir(name) == d.folder {
		err = d.Rename(d.folder, root+"/user/..mailparts-gone")
	}
	return lock, err
}

// A folder that is not yet a mailbox may go while we wait for its lock.
func TestDeletedBeforeComplete(t *testing.T) {
	fsys := disktest.New()
	folder := root + "/user/.box"
	must(t, disk.MkdirAll(fsys, folder+"/cur", 0o700))
	s := openStore(t, on(goesLocked{fsys, folder}))
	if _, err := s.Mailbox(t.Context(), "box"); !errors.Is(err, mailparts.ErrNoMailbox) {
		t.Errorf("Mailbox: %v", err)
	}
	if exists(fsys, folder) {
		t.Error("the folder is back")
	}
}
