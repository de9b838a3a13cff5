package dotlock_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/internal/dotlock"
)

func maker(fsys disk.FS) *dotlock.Maker {
	return &dotlock.Maker{FS: fsys, Host: "here", Log: slog.New(slog.DiscardHandler), Mode: 0o600}
}

func Example() {
	m := maker(disktest.New())
	lock, err := m.Try("/inbox", false)
	fmt.Println(err)
	_, err = m.Try("/inbox", false)
	fmt.Println(err)
	fmt.Println(lock.Unlock())
	// Output:
	// <nil>
	// locked by another process
	// <nil>
}

// A lock is as others read it, and gone with Unlock.
func TestContent(t *testing.T) {
	fsys := disktest.New()
	lock, err := maker(fsys).Try("/f", false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fsys.Files()["/f.lock"], fmt.Sprintf("%d:here", os.Getpid()); got != want {
		t.Errorf("the lock has %q, want %q", got, want)
	}
	if err := errors.Join(lock.Check(), lock.Touch(), lock.Unlock()); err != nil {
		t.Error(err)
	}
	for _, err := range []error{lock.Check(), lock.Touch(), lock.Unlock()} {
		if !errors.Is(err, dotlock.ErrLost) {
			t.Errorf("after Unlock: %v, want ErrLost", err)
		}
	}
	if len(fsys.Files()) > 0 {
		t.Errorf("left: %v", fsys.Files())
	}
}

// An error at any step makes no two holders of one lock. What it leaves is as good as
// gone, unless its content could not be written: then it is so after a while.
func TestFail(t *testing.T) {
	mine := fmt.Sprintf("%d:here", os.Getpid())
	disktest.Fail(t, syscall.ENOSPC, func(fsys *disktest.FS) {
		if err := disk.WriteFile(fsys, "/f.lock", []byte(mine), 0o600); err != nil { // left behind
			t.Fatal(err)
		}
	}, func(fsys *disktest.FS) error {
		lock, err := maker(fsys).Try("/f", true)
		if err != nil {
			return err
		}
		if _, err := maker(fsys).Try("/f", false); err == nil {
			t.Error("two hold the lock")
		}
		return lock.Unlock()
	}, func(t *testing.T, after *disktest.FS, err error) {
		left, ok := after.Files()["/f.lock"]
		if _, err := maker(after).Try("/f", true); err != nil && (!ok || left == mine) {
			t.Errorf("%q is left: %v", left, err)
		}
	})
}

// A lock that is a name of another file is as others read it, is held against them, and
// left behind once nobody holds that file.
func TestOf(t *testing.T) {
	fsys := disktest.New()
	if err := disk.WriteFile(fsys, "/kernel", []byte("1:elsewhere"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := maker(fsys)
	m.Of = "/kernel"
	lock, err := m.Try("/f", false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fsys.Files()["/f.lock"], fmt.Sprintf("%d:here", os.Getpid()); got != want {
		t.Errorf("the lock has %q, want %q", got, want)
	}
	if _, err := maker(fsys).Try("/f", false); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("another has %v, want ErrLocked", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
	if _, err := m.Try("/f", false); err != nil { // and crash
		t.Fatal(err)
	}
	if lock, err = m.Try("/f", false); err != nil {
		t.Fatalf("what was left behind is held: %v", err)
	}
	if err := lock.Unlock(); err != nil || len(fsys.Files()) != 1 {
		t.Errorf("%v; left: %v", err, fsys.Files())
	}
}

// Another's lock is not taken, and a disk without links has locks all the same.
func TestOfNothing(t *testing.T) {
	fsys := disktest.New()
	m := maker(fsys)
	m.Of = "/none"
	lock, err := m.Try("/f", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Try("/f", false); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("a second time: %v, want ErrLocked", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}
