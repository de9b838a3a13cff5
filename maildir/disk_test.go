package maildir_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// A file that is not as long as its name says has an error for who was told of that,
// and another UID, with the right size, for who comes next; the messages beside it
// can be read all the time. Every look is a session of its own, which knows nothing
// of the ones before but what is on disk.
func TestWrongSizes(t *testing.T) {
	for name, lie := range map[string]struct {
		told int64
		late bool // found out only when some was read
	}{
		"10.x,S=9999,W=7777": {7777, false},
		"10.x,S=5,W=6":       {6, false},
		"10.x,S=3,W=9":       {9, true},
		"10.x,S=3,W=2":       {2, true},
		"10.x,W=400":         {400, true},
		"10.x,S=3,W=9:2,S":   {9, true},
	} {
		fsys := tree(t, "")
		dir := root + "/user/new/"
		if strings.Contains(name, ":") {
			dir = root + "/user/cur/"
		}
		put(t, fsys, dir+name, "ab\n")
		put(t, fsys, root+"/user/new/20.x", "next\n")

		mb := openMailbox(t, on(fsys), "INBOX")
		if got := sizes(t, mb); !slices.Equal(got, []int64{lie.told, 6}) {
			t.Errorf("%s: sizes are %d", name, got)
		}
		_, err := readBody(mb, 1)
		if err == nil || errors.Is(err, mailparts.ErrNoMessage) == lie.late {
			t.Errorf("%s: Body by the old UID: %v", name, err)
		}
		if next, err := readBody(mb, 2); next != "next\r\n" || err != nil {
			t.Errorf("%s: the next message is %q, %v", name, next, err)
		}
		flags := "[]"
		if strings.Contains(name, ":") {
			flags = `[\Seen]`
		}
		want(t, mb, "2 [] next\r\n", "3 "+flags+" ab\r\n")
		want(t, openMailbox(t, on(fsys), "INBOX"), "2 [] next\r\n", "3 "+flags+" ab\r\n")
	}
}

// A size that is right although another in the name is not changes nothing, and one
// that nobody was told of neither.
func TestHarmlessSizes(t *testing.T) {
	for _, name := range []string{"10.x,S=5,W=4", "10.x,S=100", "10.x,W=4", "10.x"} {
		fsys := tree(t, "")
		put(t, fsys, root+"/user/new/"+name, "ab\n")
		for range 2 {
			want(t, openMailbox(t, on(fsys), "INBOX"), "1 [] ab\r\n")
		}
	}
}

// Where the file cannot be renamed the error stands, and then the right size.
func TestWrongSizeStays(t *testing.T) {
	for _, name := range []string{"10.x,S=5,W=6", "10.x,S=3,W=9"} {
		fsys := tree(t, "")
		put(t, fsys, root+"/user/new/"+name, "ab\n")
		mb := openMailbox(t, on(fsys), "INBOX")
		sizes(t, mb)
		fsys.Before = func(op disktest.Op) error {
			if op.Name == "rename" {
				return syscall.EROFS
			}
			return nil
		}
		readBody(mb, 1)
		want(t, mb, "1 [] ab\r\n")
	}
}

// sizes is what Messages says of all.
func sizes(t *testing.T, mb mailparts.Mailbox) (sizes []int64) {
	t.Helper()
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		must(t, err)
		sizes = append(sizes, m.Size)
	}
	return sizes
}

// Dovecot notes a size in the list where the name has none.
func TestSizeInList(t *testing.T) {
	fsys := tree(t, "3 V9 N3 Gx\n1 W21 :one\n2 W999 :two\n", "new/oneone", "new/twotwo")
	must(t, fsys.Rename(root+"/user/new/oneone", root+"/user/new/one"))
	must(t, fsys.Rename(root+"/user/new/twotwo", root+"/user/new/two"))
	mb := openMailbox(t, on(fsys), "INBOX")
	if got := sizes(t, mb); !slices.Equal(got, []int64{21, 999}) {
		t.Errorf("sizes are %d, want what the list says", got)
	}
	if _, err := readBody(mb, 2); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body shorter than was said: %v", err)
	}
	if got := sizes(t, mb); !slices.Equal(got, []int64{21, 21}) {
		t.Errorf("sizes are %d when the list was wrong once", got)
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
