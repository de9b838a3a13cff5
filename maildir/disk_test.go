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

// Dovecot notes a size in the list where the name has none.
func TestSizeInList(t *testing.T) {
	fsys := tree(t, "3 V9 N3 Gx\n1 W21 :one\n2 W999 :two\n", "new/oneone", "new/twotwo")
	must(t, fsys.Rename(root+"/user/new/oneone", root+"/user/new/one"))
	must(t, fsys.Rename(root+"/user/new/twotwo", root+"/user/new/two"))
	mb := openMailbox(t, on(fsys), "INBOX")
	sizes := func() (sizes []int64) {
		for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
			must(t, err)
			sizes = append(sizes, m.Size)
		}
		return sizes
	}
	if got := sizes(); !slices.Equal(got, []int64{21, 999}) {
		t.Errorf("sizes are %d, want what the list says", got)
	}
	if _, err := readBody(mb, 2); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body shorter than was said: %v", err)
	}
	if got := sizes(); !slices.Equal(got, []int64{21, 21}) {
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
