package maildir_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

func TestCheckOfNobody(t *testing.T) {
	fsys := disktest.New()
	for user, want := range map[string]error{"nobody": mailparts.ErrNoUser, "../x": mailparts.ErrNoUser} {
		for p, err := range on(fsys).Repair(t.Context(), user) {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, %v, want %v", user, p, err, want)
			}
		}
	}
	if len(fsys.Files()) > 0 || exists(fsys, root) {
		t.Error("Repair has made a tree")
	}
}

func TestCheckEnds(t *testing.T) {
	fsys := lived(t)
	must(t, fsys.Remove(root+"/user/.box/tmp"))
	put(t, fsys, root+"/user/new/:x", "")
	for range on(fsys).Check(t.Context(), "user") {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range on(fsys).Check(ctx, "user") {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("Check that was cancelled ends with %v", last)
	}
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "readdir" && op.Path == root+"/user" {
			return syscall.EIO
		}
		return nil
	}
	for p, err := range on(fsys).Check(t.Context(), "user") {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%v, %v, want EIO", p, err)
		}
	}
}

// What cannot be read or repaired is said, and the rest goes on.
func TestCheckFails(t *testing.T) {
	fsys := lived(t)
	put(t, fsys, root+"/user/new/:x", "")
	unreadable := first(t, fsys, "cur/*Q*")
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "read" && op.Path == unreadable || op.Name == "rename" && strings.HasSuffix(op.Path, ":x") {
			return syscall.EACCES
		}
		return nil
	}
	var said []string
	for p, err := range on(fsys).Repair(t.Context(), "user") {
		must(t, err)
		said = append(said, strings.ReplaceAll(p.String(), root+"/user", ""))
	}
	if len(said) < 2 || !strings.Contains(said[0], "cannot give it another name: rename /new/:x: permission denied") ||
		!strings.HasPrefix(said[1], strings.TrimPrefix(unreadable, root+"/user")+": cannot be read") {
		t.Errorf("Repair says %q", said)
	}
}

// The modes of a real disk.
func TestCheckModes(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	deliver(t, openMailbox(t, b, "INBOX"), "x")
	user := filepath.Join(b.Root, "user")
	file, _ := filepath.Glob(filepath.Join(user, "new", "*"))
	must(t, os.Chmod(file[0], 0o666))
	must(t, os.Chmod(filepath.Join(user, "cur"), 0o500))
	var said []string
	for p, err := range b.Check(t.Context(), "user") {
		must(t, err)
		said = append(said, p.String())
	}
	must(t, os.Chmod(filepath.Join(user, "cur"), 0o700))
	if len(said) != 2 || !strings.Contains(said[0], "may be written by everybody") || !strings.Contains(said[1], "keeps its owner out") {
		t.Errorf("Check says %q", said)
	}
	if os.Getuid() != 0 {
		return // who is not root gives nothing away
	}
	must(t, os.Chmod(file[0], 0o600))
	must(t, os.Chown(file[0], 12345, 12345))
	for p, err := range b.Check(t.Context(), "user") {
		must(t, err)
		if !strings.Contains(p.What, "belongs to the user with ID 12345, the tree to 0") {
			t.Errorf("Check says %q", p)
		}
	}
}

// A crash in the midst of a Repair leaves nothing that another Repair cannot repair,
// and every message.
func TestRepairCrash(t *testing.T) {
	var want map[string]bool
	setUp := func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) {
			for name, content := range map[string]string{
				"1795374075.M1P1.x":            "stray\n",
				"cur/1.x,S=9:2,S":              "wrong\n",
				"new/:2,":                      "unnamed\n",
				"cur/11.x:2,FSb":               "a\n",
				"new/11.x":                     "twin\n",
				"dovecot-keywords":             "x\n0 y\n",
				"dovecot-uidlist":              "3 V9 N9 Gx\nx\n1 :11.x\n",
				"dovecot-uidvalidity.00000001": "x",
				".ü/cur/1.x":                   "utf8\n",
			} {
				must(t, disk.MkdirAll(fsys, filepath.Dir(root+"/user/"+name), 0o700))
				must(t, disk.WriteFile(fsys, root+"/user/"+name, []byte(content), 0o600))
			}
			must(t, disk.MkdirAll(fsys, root+"/user/tmp", 0o700))
		})
		want = bodiesIn(fsys)
	}
	repair := func(fsys *disktest.FS) (err error) {
		synctest.Test(t, func(t *testing.T) {
			for p, perr := range on(fsys).Repair(t.Context(), "user") {
				err = errors.Join(err, p.Err, perr)
			}
		})
		return err
	}
	check := func(t *testing.T, after *disktest.FS, _ error) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Hour) // or a lock may be somebody's
			for p, err := range on(after).Repair(t.Context(), "user") {
				must(t, err)
				if p.Err != nil {
					t.Error(p)
				}
			}
			if got := bodiesIn(after); !maps.Equal(got, want) {
				t.Errorf("messages are %v, were %v", got, want)
			}
			if said := checked(t, after); len(said) > 0 {
				t.Errorf("after two repairs: %q", said)
			}
		})
	}
	fsys := disktest.New()
	setUp(fsys)
	must(t, repair(fsys))
	check(t, fsys, nil)
	disktest.Crash(t, setUp, repair, check)
	if !testing.Short() {
		disktest.Fail(t, syscall.EIO, setUp, repair, check)
	}
}
