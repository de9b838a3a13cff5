package maildir_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mailtest"
)

// create makes a mailbox and opens it.
func create(t testing.TB, b mailparts.Backend, name string) mailparts.Mailbox {
	t.Helper()
	if err := openStore(t, b).(mailparts.Manager).Create(t.Context(), name); !errors.Is(err, mailparts.ErrExists) {
		must(t, err)
	}
	return openMailbox(t, b, name)
}

func copyAll(t testing.TB, src, dst mailparts.Mailbox) mailparts.Copied {
	t.Helper()
	c, err := src.(mailparts.Copier).Copy(t.Context(), mailparts.AllUIDs(), dst)
	must(t, err)
	return c
}

func moveAll(t testing.TB, src, dst mailparts.Mailbox) mailparts.Copied {
	t.Helper()
	c, err := src.(mailparts.Mover).Move(t.Context(), mailparts.AllUIDs(), dst)
	must(t, err)
	return c
}

// everything is what Messages says of all, without UIDs, numbers and the time when
// it came.
func everything(t testing.TB, mb mailparts.Mailbox) (all []string) {
	t.Helper()
	q := mailparts.Query{Want: mailparts.WantSize | mailparts.WantDates | mailparts.WantIDs}
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), q) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		flags := slices.Sorted(slices.Values(m.Flags))
		all = append(all, fmt.Sprint(flags, m.Size, m.Received.UTC(), m.ID, body))
	}
	return all
}

// assorted delivers messages of every kind: ours, with flags, keywords and dates, and
// those of other programs, with sizes in their names and without.
func assorted(t testing.TB, fsys *disktest.FS, mb mailparts.Mailbox) {
	t.Helper()
	m := incoming("one\r\n", mailparts.FlagSeen, "$Work", "Home")
	m.Received = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	_, err := mailparts.Append(t.Context(), mb, m)
	must(t, err)
	deliver(t, mb, "two\r\n")
	put(t, fsys, root+"/user/new/10.foreign", "three\n")
	put(t, fsys, root+"/user/cur/20.foreign,S=5:2,FR", "four\n")
	put(t, fsys, root+"/user/cur/30.foreign,S=999,W=1000:2,", "a name that lies\n")
	put(t, fsys, root+"/user/cur/40.with space:2,S", "five\n")
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		must(t, err)
		readBody(mb, m.UID) // which finds out about the lie
	}
}

// A copy has all that the message has, and a copy of a copy too; they are one file.
func TestCopyIsTheSame(t *testing.T) {
	for name, noLink := range map[string]error{
		"linked": nil, "another file system": syscall.EXDEV, "another owner": syscall.EPERM, "too many links": syscall.EMLINK, "no links": syscall.EOPNOTSUPP,
	} {
		fsys := disktest.New()
		b := on(fsys)
		inbox, one, two := openMailbox(t, b, "INBOX"), create(t, b, "one"), create(t, b, "two")
		assorted(t, fsys, inbox)
		deliver(t, one, "was there", "Other", "Home") // keywords have other letters here
		must(t, one.Expunge(t.Context(), uids(1), ""))
		want := everything(t, inbox)
		links := 0
		fsys.Before = func(op disktest.Op) error {
			if op.Name == "link" {
				links++
				return noLink
			}
			return nil
		}
		copyAll(t, inbox, one)
		copyAll(t, one, two)
		for _, mb := range []mailparts.Mailbox{inbox, one, two, openMailbox(t, on(fsys), "two")} {
			if got := everything(t, mb); !slices.Equal(got, want) {
				t.Errorf("%s: a mailbox has\n%q, want\n%q", name, got, want)
			}
		}
		for _, f := range in(fsys, ".*/mailparts-index") { // the list must say it all
			must(t, fsys.Remove(f))
		}
		if got := everything(t, openMailbox(t, on(fsys), "two")); !slices.Equal(got, want) {
			t.Errorf("%s: without an index the mailbox has\n%q, want\n%q", name, got, want)
		}
		moveAll(t, two, one)
		if got := everything(t, one); !slices.Equal(got, append(want, want...)) {
			t.Errorf("%s: after Move the mailbox has\n%q, want\n%q twice", name, got, want)
		}
		if links < 3*len(want) {
			t.Errorf("%s: %d links were tried", name, links)
		}
		if left := append(in(fsys, "tmp/*"), in(fsys, "*/tmp/*")...); len(left) > 0 {
			t.Errorf("%s: left in tmp: %q", name, left)
		}
	}
}

// A copy takes no room on the disk.
func TestCopyIsALink(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
	deliver(t, inbox, "message", mailparts.FlagSeen)
	copyAll(t, inbox, other)
	var infos []os.FileInfo
	for _, pattern := range []string{"user/cur/*", "user/.other/cur/*"} {
		names, err := filepath.Glob(filepath.Join(b.Root, pattern))
		must(t, err)
		if len(names) != 1 || !strings.Contains(names[0], ",S=7,W=7:2,S") {
			t.Fatalf("%s is %q", pattern, names)
		}
		fi, err := os.Stat(names[0])
		must(t, err)
		infos = append(infos, fi)
	}
	if !os.SameFile(infos[0], infos[1]) {
		t.Error("the copy is another file")
	}
}

// A large copy is one batch, and so is a large move.
func TestCopyIsOneBatch(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
	var msgs []mailparts.Incoming
	for range 500 {
		msgs = append(msgs, incoming("x"))
	}
	_, err := inbox.Append(t.Context(), batchOf(msgs...))
	must(t, err)
	status(t, other)
	ops := map[string]int{}
	fsys.Before = func(op disktest.Op) error {
		ops[op.Name]++
		return nil
	}
	if c := copyAll(t, inbox, other); c.From.Len() != 500 || c.To.UIDs.Len() != 500 {
		t.Errorf("copied %+v", c)
	}
	moveAll(t, inbox, other)
	if st := status(t, other); st.Messages != 1000 {
		t.Errorf("%d messages", st.Messages)
	}
	for _, name := range []string{"write", "writeat", "sync", "datasync", "syncdir", "readdir", "lock"} {
		if ops[name] > 40 {
			t.Errorf("%d times %s", ops[name], name)
		}
	}
	if ops["openfile"] > 100 {
		t.Errorf("%d files were opened", ops["openfile"])
	}
}

// Keywords that have no room in the other mailbox are an error, and leave nothing.
func TestCopyKeywordLimit(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
	var full []mailparts.Flag
	for i := range 26 {
		full = append(full, mailparts.Flag(fmt.Sprint("k", i)))
	}
	deliver(t, other, "full", full...)
	deliver(t, inbox, "plain")
	deliver(t, inbox, "one more", "k25", "new")
	if _, err := inbox.(mailparts.Copier).Copy(t.Context(), mailparts.AllUIDs(), other); !errors.Is(err, mailparts.ErrLimit) {
		t.Errorf("Copy: %v", err)
	}
	if _, err := inbox.(mailparts.Mover).Move(t.Context(), mailparts.AllUIDs(), other); !errors.Is(err, mailparts.ErrLimit) {
		t.Errorf("Move: %v", err)
	}
	if st, src := status(t, other), status(t, inbox); st.Messages != 1 || src.Messages != 2 {
		t.Errorf("%d and %d messages, want 1 and 2", st.Messages, src.Messages)
	}
	if left := append(in(fsys, "tmp/*"), in(fsys, "*/tmp/*")...); len(left) > 0 {
		t.Errorf("left in tmp: %q", left)
	}
}

// What another program delivered and did not sync is durable as a copy.
func TestCopySyncs(t *testing.T) {
	for _, all := range []func(testing.TB, mailparts.Mailbox, mailparts.Mailbox) mailparts.Copied{copyAll, moveAll} {
		synctest.Test(t, func(t *testing.T) {
			fsys := disktest.New()
			b := on(fsys)
			inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
			put(t, fsys, root+"/user/new/10.foreign", "procmail\n")
			all(t, inbox, other)
			after := describe(t, openMailbox(t, on(fsys.Reboot(disktest.Strict)), "other"))
			if len(after) != 1 || !strings.HasSuffix(after[0], "[] procmail\r\n") {
				t.Errorf("after a crash the mailbox has %q", after)
			}
		})
	}
}

// Other stores, and what two Backends have of one mailbox, need the fallback.
func TestCopyUnsupported(t *testing.T) {
	fsys := disktest.New()
	inbox := openMailbox(t, on(fsys), "INBOX")
	uid := deliver(t, inbox, "message")
	for name, dst := range map[string]mailparts.Mailbox{
		"the same mailbox of another Backend": openMailbox(t, on(fsys), "INBOX"),
		"another disk":                        openMailbox(t, on(disktest.New()), "INBOX"),
		"memory":                              openMailbox(t, &mailtest.Memory{}, "INBOX"),
	} {
		if _, err := inbox.(mailparts.Copier).Copy(t.Context(), uids(uid), dst); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: Copy: %v", name, err)
		}
		if _, err := inbox.(mailparts.Mover).Move(t.Context(), uids(uid), dst); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: Move: %v", name, err)
		}
	}
	want(t, inbox, "1 [] message")
}

// A copy needs room in the quota, and a move needs none but in another user's tree.
func TestCopyQuota(t *testing.T) {
	fsys := disktest.New()
	b := limited(fsys, 10, 0)
	inbox, other := openMailbox(t, b, "INBOX"), create(t, b, "other")
	theirs, err := b.Open(t.Context(), "bob")
	must(t, err)
	bob, err := theirs.Mailbox(t.Context(), "INBOX")
	must(t, err)
	deliver(t, bob, "12345")
	uid := deliver(t, inbox, "123456")
	copier, mover := inbox.(mailparts.Copier), inbox.(mailparts.Mover)
	for name, dst := range map[string]mailparts.Mailbox{"a tree of its own": other, "another tree": bob, "the same mailbox": inbox} {
		if _, err := copier.Copy(t.Context(), uids(uid), dst); !errors.Is(err, mailparts.ErrQuota) {
			t.Errorf("Copy within %s: %v", name, err)
		}
	}
	if _, err := mover.Move(t.Context(), uids(uid), bob); !errors.Is(err, mailparts.ErrQuota) {
		t.Errorf("Move to another tree: %v", err)
	}
	want(t, bob, "1 [] 12345")
	want(t, inbox, "1 [] 123456")

	before := get(t, fsys, quotaFile)
	moveAll(t, inbox, other)
	moveAll(t, other, other)
	want(t, other, "2 [] 123456")
	wantFile(t, fsys, before)
	must(t, bob.Expunge(t.Context(), mailparts.AllUIDs(), ""))
	moveAll(t, other, bob)
	wantQuota(t, openStore(t, b), "S 0/10")
	wantQuota(t, theirs, "S 6/10")
	copyAll(t, bob, inbox)
	wantQuota(t, openStore(t, b), "S 6/10")
}

// Both mailboxes may have got other names.
func TestCopyAfterRename(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	src, dst := create(t, b, "src"), create(t, b, "dst")
	deliver(t, src, "message")
	m := openStore(t, on(fsys)).(mailparts.Manager)
	must(t, m.Rename(t.Context(), "src", "x"))
	must(t, m.Rename(t.Context(), "dst", "src"))
	copyAll(t, src, dst)
	want(t, openMailbox(t, on(fsys), "src"), "1 [] message")
	must(t, m.Rename(t.Context(), "x", "dst"))
	moveAll(t, src, dst)
	want(t, openMailbox(t, on(fsys), "src"), "1 [] message", "2 [] message")
	want(t, openMailbox(t, on(fsys), "dst"))
	must(t, m.Delete(t.Context(), "src"))
	if _, err := src.(mailparts.Mover).Move(t.Context(), nil, dst); !errors.Is(err, mailparts.ErrNoMailbox) {
		t.Errorf("Move to a mailbox that is gone: %v", err)
	}
}
