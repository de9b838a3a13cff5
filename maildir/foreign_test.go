package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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
	must(t, fsys.Rename(cur(files[0], ":2,S"), cur(files[0], ":2,PSa"))) // letters that are not ours stay
	if _, _, err := mb.SetFlags(t.Context(), uids(1, 2, 3), mailparts.FlagChange{Op: mailparts.ReplaceFlags, Flags: []mailparts.Flag{mailparts.FlagDraft, "$Junk"}}); err != nil {
		t.Fatal(err)
	}
	want(t, mb, `1 [\Draft] a`, `2 [\Draft] b`)
	if got := in(fsys, "cur/*"); len(got) != 2 || got[0] != cur(files[0], ":2,DPa") || got[1] != cur(files[1], ":2,D") {
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
				from := in(fsys, "new/*")[0]
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

// A file that is not as long as its name says gives an error, and then its size is
// known.
func TestWrongSizes(t *testing.T) {
	for name, body := range map[string]string{
		"1.x,S=5,W=6":    "ab\n", // S and W wrong
		"1.x,S=3,W=9":    "ab\n", // W wrong
		"1.x,S=3,W=2":    "ab\n",
		"1.x,W=4":        "ab\n",
		"1.x,W=400":      "ab\n",
		"1.x,S=100":      "ab\n",
		"1.x,S=3,W=4:2,": "ab\n",
	} {
		fsys := tree(t, "")
		dir := "new/"
		if strings.Contains(name, ":") {
			dir = "cur/"
		}
		put(t, fsys, root+"/user/"+dir+name, body)
		mb := openMailbox(t, on(fsys), "INBOX")
		first, err := readBody(mb, 1)
		if err == nil && first != "ab\r\n" || err != nil && !strings.HasPrefix("ab\r\n", first) {
			t.Errorf("%s: body %q, %v", name, first, err)
		}
		if second, err := readBody(mb, 1); second != "ab\r\n" || err != nil {
			t.Errorf("%s: body %q, %v at the second time", name, second, err)
		}
		for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
			if m.Size != 4 || err != nil {
				t.Errorf("%s: Size is %d, %v", name, m.Size, err)
			}
		}
	}
}

// A full disk takes nothing, but lets the user see what is there and make room.
func TestFullDisk(t *testing.T) {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		deliver(t, mb, "a")
		deliver(t, mb, "b")
		put(t, fsys, root+"/user/new/foreign", "c")
		fsys.Before = func(op disktest.Op) error {
			if strings.HasPrefix(op.Name, "write") || op.Name == "openfile" && !exists(fsysQuiet(fsys), op.Path) && !strings.Contains(op.Path, "/tmp/") {
				return full
			}
			return nil
		}
		_, err := mailparts.Append(t.Context(), mb, incoming("d"))
		if !errors.Is(err, full) || errors.Is(err, mailparts.ErrQuota) != (full == syscall.EDQUOT) {
			t.Errorf("Append on a full disk: %v", err)
		}
		if left := in(fsys, "tmp/*"); len(left) > 0 {
			t.Errorf("left in tmp: %q", left)
		}
		want(t, mb, "1 [] a", "2 [] b")
		must(t, mb.Expunge(t.Context(), uids(1), ""))
		want(t, mb, "2 [] b")
		want(t, openMailbox(t, on(fsys), "INBOX"), "2 [] b")
		fsys.Before = nil
		want(t, mb, "2 [] b", "3 [] c")
	}
}

// fsysQuiet is a copy to ask from within Before.
func fsysQuiet(fsys *disktest.FS) disk.FS { return fsys.Reboot(disktest.Kept) }

func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		tmp := root + "/user/tmp/"
		put(t, fsys, tmp+"left by a crash", "x")
		put(t, fsys, tmp+fmt.Sprint(time.Now().Unix(), ".x"), "x")
		time.Sleep(35 * time.Hour)
		deliver(t, mb, "a")
		if n := len(in(fsys, "tmp/*")); n != 2 {
			t.Errorf("%d files left after 35 hours, want 2", n)
		}
		fresh := tmp + fmt.Sprint(time.Now().Unix(), ".y")
		put(t, fsys, fresh, "x")
		must(t, fsys.Chtimes(fresh, time.Unix(0, 0))) // a message with an old date, being written
		time.Sleep(9 * time.Hour)
		deliver(t, mb, "b")
		if left := in(fsys, "tmp/*"); !slices.Equal(left, []string{fresh}) {
			t.Errorf("left after 44 hours: %q", left)
		}
	})
}

// Two processes deliver, flag and expunge in one mailbox at once: none sees a UID
// twice or a message change its UID, and nothing is lost.
func TestTwoProcesses(t *testing.T) {
	for _, tc := range []struct {
		name string
		fsys disk.FS
		root string
	}{{"memory", disktest.New(), root}, {"os", disk.OS{}, t.TempDir()}} {
		t.Run(tc.name, func(t *testing.T) {
			const each, processes = 40, 3
			var wg sync.WaitGroup
			for p := range processes {
				b := on(tc.fsys)
				b.Root = tc.root
				mb := openMailbox(t, b, "INBOX")
				wg.Go(func() {
					for i := range each {
						body := fmt.Sprintf("%d.%d", p, i)
						placed, err := mailparts.Append(context.Background(), mb, incoming(body))
						if err != nil {
							t.Error(err)
							return
						}
						uid := placed.UIDs[0].First
						if got, err := readBody(mb, uid); got != body || err != nil {
							t.Errorf("UID %d is %q, %v, want %q", uid, got, err, body)
						}
						if _, _, err := mb.SetFlags(context.Background(), uids(uid), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}); err != nil {
							t.Error(err)
						}
						if i%4 == 0 {
							if err := mb.Expunge(context.Background(), uids(uid), mailparts.FlagSeen); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			wg.Wait()
			b := on(tc.fsys)
			b.Root = tc.root
			got := describe(t, openMailbox(t, b, "INBOX"))
			if len(got) != processes*each*3/4 {
				t.Errorf("%d messages are left, want %d", len(got), processes*each*3/4)
			}
			for _, line := range got {
				if !strings.Contains(line, `\Seen`) {
					t.Errorf("a flag is lost: %s", line)
				}
			}
		})
	}
}

// Many sessions of one process, while another program renames and delivers.
func TestManySessions(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	mb := openMailbox(t, b, "INBOX")
	user := b.Root + "/user/"
	var fsys disk.OS
	for i := range 20 {
		put(t, fsys, fmt.Sprint(user, "new/", i, ".foreign"), "line\n")
	}
	ctx := context.Background()
	var wg sync.WaitGroup
	for range 4 {
		mb := openMailbox(t, b, "INBOX")
		wg.Go(func() {
			for range 10 {
				for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize | mailparts.WantDates}) {
					if err != nil || m.Size != 6 {
						t.Errorf("UID %d: size %d, %v", m.UID, m.Size, err)
					}
					if body, err := readBody(mb, m.UID); body != "line\r\n" && !errors.Is(err, mailparts.ErrNoMessage) {
						t.Errorf("UID %d: %q, %v", m.UID, body, err)
					}
				}
			}
		})
		wg.Go(func() {
			for i := range 10 {
				_, err := mailparts.Append(ctx, mb, incoming("line\n"))
				_, _, ferr := mb.SetFlags(ctx, uids(mailparts.UID(i+1)), mailparts.FlagChange{Op: mailparts.FlagOp(i % 3), Flags: []mailparts.Flag{mailparts.FlagSeen}})
				eerr := mb.Expunge(ctx, uids(mailparts.UID(2*i)), mailparts.FlagSeen)
				if err := errors.Join(err, ferr, eerr); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 20 {
			name := fmt.Sprint(i, ".foreign")
			fsys.Rename(user+"new/"+name, user+"cur/"+name+":2,R")
			put(t, fsys, user+"new/"+name+"2", "line\n")
		}
	})
	wg.Wait()
	seen := map[mailparts.UID]bool{}
	for _, line := range describe(t, mb) {
		uid, _, _ := strings.Cut(line, " ")
		n, _ := strconv.Atoi(uid)
		if seen[mailparts.UID(n)] {
			t.Errorf("UID %d twice", n)
		}
		seen[mailparts.UID(n)] = true
	}
	if len(seen) < 60 || len(seen) > 80 {
		t.Errorf("%d messages, want 80 but for those expunged", len(seen))
	}
}

// What handles share goes when they are unreachable.
func TestHandlesAreReleased(t *testing.T) {
	b := on(disktest.New())
	mb := openMailbox(t, b, "INBOX")
	deliver(t, mb, "x")
	for range 3 {
		want(t, openMailbox(t, b, "INBOX"), "1 [] x")
	}
	if n := b.Boxes(); n != 1 {
		t.Errorf("%d mailboxes are kept for one that is open", n)
	}
	runtime.KeepAlive(mb)
	for deadline := time.Now().Add(10 * time.Second); b.Boxes() > 0; {
		if time.Now().After(deadline) {
			t.Fatal("a mailbox is kept that nobody has")
		}
		runtime.GC()
		runtime.Gosched()
	}
}
