package mbox_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/internal/dotlock"
	"github.com/mailparts/mailparts/mbox"
)

// allLocks are ways to lock, by name.
func allLocks() map[string]mbox.Locks {
	return map[string]mbox.Locks{
		"default":        {},
		"fcntl":          {Methods: []mbox.LockMethod{mbox.Fcntl}},
		"dotlock":        {Methods: []mbox.LockMethod{mbox.Dotlock}},
		"flock":          {Methods: []mbox.LockMethod{mbox.Flock}},
		"flock, dotlock": {Methods: []mbox.LockMethod{mbox.Flock, mbox.Dotlock}},
		"dotlock, fcntl": {Methods: []mbox.LockMethod{mbox.Dotlock, mbox.Fcntl}},
	}
}

// lockAt opens and locks a file, and fails the test if it does not get it.
func lockAt(t *testing.T, fsys disk.FS, l mbox.Locks, name string, flag int) *mbox.FileLock {
	t.Helper()
	k, err := mbox.OpenLocked(t.Context(), fsys, l, name, flag)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// isLocked reports whether a file cannot be locked.
func isLocked(t *testing.T, fsys disk.FS, l mbox.Locks, name string, flag int) bool {
	t.Helper()
	l.Timeout = 20 * time.Millisecond
	k, err := mbox.OpenLocked(t.Context(), fsys, l, name, flag)
	if err == nil {
		err = k.Unlock()
	}
	if err != nil && !errors.Is(err, mailparts.ErrLocked) {
		t.Fatal(err)
	}
	return err != nil
}

func unlock(t *testing.T, k *mbox.FileLock) {
	t.Helper()
	if err := k.Unlock(); err != nil {
		t.Error(err)
	}
}

// newFile makes an empty file on the real disk, or in memory.
func newFile(t *testing.T, fsys disk.FS) string {
	t.Helper()
	name := "/file"
	if fsys == (disk.OS{}) {
		name = filepath.Join(t.TempDir(), "file")
	}
	if err := disk.WriteFile(fsys, name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLocksExclude(t *testing.T) {
	for how, l := range allLocks() {
		t.Run(how, func(t *testing.T) {
			for _, fsys := range []disk.FS{disk.OS{}, disktest.New()} {
				name := newFile(t, fsys)
				writer := lockAt(t, fsys, l, name, os.O_RDWR)
				if !isLocked(t, fsys, l, name, os.O_RDWR) || !isLocked(t, fsys, l, name, os.O_RDONLY) {
					t.Error("a writer excludes nobody")
				}
				unlock(t, writer)
				reader := lockAt(t, fsys, l, name, os.O_RDONLY)
				if !isLocked(t, fsys, l, name, os.O_RDWR) {
					t.Error("a reader does not keep a writer out")
				}
				if isLocked(t, fsys, l, name, os.O_RDONLY) != (how == "dotlock") {
					t.Error("readers can share all but a dotlock")
				}
				unlock(t, reader)
				if isLocked(t, fsys, l, name, os.O_RDWR) {
					t.Error("a lock is left")
				}
				if err := reader.Unlock(); !errors.Is(err, fs.ErrClosed) {
					t.Errorf("a second unlock: %v", err)
				}
			}
		})
	}
}

// Goroutines that count in a file, each with locks of its own.
func TestLocksBetweenGoroutines(t *testing.T) {
	for how, l := range allLocks() {
		t.Run(how, func(t *testing.T) {
			name := newFile(t, disk.OS{})
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 10 {
						count(t, l, name)
					}
				})
			}
			wg.Wait()
			if got, err := os.ReadFile(name); string(got) != "40" {
				t.Errorf("counted %q, %v", got, err)
			}
		})
	}
}

// count adds one to the number in a file.
func count(t *testing.T, l mbox.Locks, name string) {
	k, err := mbox.OpenLocked(t.Context(), disk.OS{}, l, name, os.O_RDWR)
	if err != nil {
		t.Error(err)
		return
	}
	b := make([]byte, 20)
	n, _ := k.ReadAt(b, 0)
	i, _ := strconv.Atoi(string(b[:n]))
	if _, err := k.WriteAt([]byte(strconv.Itoa(i+1)), 0); err != nil {
		t.Error(err)
	}
	if err := k.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		name := newFile(t, fsys)
		held := lockAt(t, fsys, mbox.Locks{}, name, os.O_RDWR)
		defer held.Unlock()
		began := time.Now()
		_, err := mbox.OpenLocked(t.Context(), fsys, mbox.Locks{}, name, os.O_RDWR)
		if waited := time.Since(began); !errors.Is(err, mailparts.ErrLocked) || waited != 150*time.Second {
			t.Errorf("%v after %v", err, waited)
		}
		_, err = mbox.OpenLocked(t.Context(), fsys, mbox.Locks{Timeout: time.Second}, name, os.O_RDWR)
		if waited := time.Since(began); !errors.Is(err, mailparts.ErrLocked) || waited != 151*time.Second {
			t.Errorf("with a timeout of a second: %v after %v", err, waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		_, err = mbox.OpenLocked(ctx, fsys, mbox.Locks{}, name, os.O_RDWR)
		if waited := time.Since(began); !errors.Is(err, mailparts.ErrLocked) || !errors.Is(err, context.Canceled) || waited != 211*time.Second {
			t.Errorf("canceled after a minute: %v after %v", err, waited)
		}
		before := fsys.Ops()
		mbox.OpenLocked(t.Context(), fsys, mbox.Locks{Timeout: 10 * time.Second}, name, os.O_RDWR)
		if n := fsys.Ops() - before; n > 500 {
			t.Errorf("%d operations in ten seconds of waiting", n)
		}
	})
}

// While ours is held nobody takes it for left behind, and when it is not touched any
// more all do.
func TestLongHeldLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		name := newFile(t, fsys)
		dot := mbox.Locks{Methods: []mbox.LockMethod{mbox.Dotlock}}
		held := lockAt(t, fsys, dot, name, os.O_RDWR)
		for range 20 {
			time.Sleep(time.Minute)
			if !isLocked(t, fsys, dot, name, os.O_RDWR) {
				t.Fatal("the lock was taken over")
			}
		}
		if err := held.Check(); err != nil {
			t.Error(err)
		}
		if err := fsys.Remove(name + ".lock"); err != nil {
			t.Fatal(err)
		}
		again := lockAt(t, fsys, dot, name, os.O_RDWR)
		if err := held.Check(); !errors.Is(err, dotlock.ErrLost) {
			t.Errorf("the lock is another's: %v", err)
		}
		if err := held.Unlock(); !errors.Is(err, dotlock.ErrLost) {
			t.Errorf("unlock of what is another's: %v", err)
		}
		if err := again.Check(); err != nil {
			t.Errorf("the other's lock: %v", err)
		}
		unlock(t, again)
	})
}

// What a program that crashed left, and what a living one has.
func TestStaleDotlock(t *testing.T) {
	machine, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	for _, tc := range []struct {
		name, content string
		locks         mbox.Locks
		wait          time.Duration
	}{
		{"of another machine", "1:elsewhere", mbox.Locks{}, 2 * time.Minute},
		{"that says no process", "", mbox.Locks{}, 2 * time.Minute},
		{"that says no machine", "99999999", mbox.Locks{}, 2 * time.Minute},
		{"of a process that lives", "1:" + machine, mbox.Locks{}, 2 * time.Minute},
		{"of a process that is gone", "99999999:" + machine, mbox.Locks{}, 0},
		{"of this process, before it was", strconv.Itoa(os.Getpid()) + ":" + machine, mbox.Locks{}, 0},
		{"of this process, perhaps", strconv.Itoa(os.Getpid()) + ":" + machine, mbox.Locks{Methods: []mbox.LockMethod{mbox.Dotlock}}, 2 * time.Minute},
		{"with less patience", "1:elsewhere", mbox.Locks{Stale: time.Second}, time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := disktest.New()
				name := newFile(t, fsys)
				if err := disk.WriteFile(fsys, name+".lock", []byte(tc.content), 0o600); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				unlock(t, lockAt(t, fsys, tc.locks, name, os.O_RDWR))
				if waited := time.Since(began); waited < tc.wait || waited > tc.wait+time.Second {
					t.Errorf("waited %v, want %v", waited, tc.wait)
				}
				if _, err := fsys.Stat(name + ".lock"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a lock is left: %v", err)
				}
			})
		})
	}
}

// Where nobody may make a file, a dotlock is left out, if there is another lock.
func TestForbiddenDotlock(t *testing.T) {
	for _, forbidden := range []error{syscall.EACCES, syscall.EPERM, syscall.EROFS} {
		fsys := disktest.New()
		name := newFile(t, fsys)
		fsys.Before = func(op disktest.Op) error {
			if op.Name == "openfile" && op.Path == name+".lock" {
				return forbidden
			}
			return nil
		}
		k := lockAt(t, fsys, mbox.Locks{}, name, os.O_RDWR)
		if !isLocked(t, fsys, mbox.Locks{}, name, os.O_RDWR) {
			t.Errorf("%v: nothing is locked", forbidden)
		}
		if err := k.Check(); err != nil {
			t.Error(err)
		}
		unlock(t, k)
		if _, err := mbox.OpenLocked(t.Context(), fsys, mbox.Locks{Methods: []mbox.LockMethod{mbox.Dotlock}}, name, os.O_RDWR); !errors.Is(err, forbidden) {
			t.Errorf("with no other lock: %v, want %v", err, forbidden)
		}
	}
}

// Who waited for a file that was replaced meanwhile gets the new one.
func TestLockFollowsRename(t *testing.T) {
	for how, l := range allLocks() {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := disktest.New()
				name := newFile(t, fsys)
				held := lockAt(t, fsys, l, name, os.O_RDWR)
				time.AfterFunc(time.Minute, func() {
					if err := disk.WriteFile(fsys, name, []byte("new"), 0o600); err != nil {
						t.Error(err)
					}
					unlock(t, held)
				})
				k := lockAt(t, fsys, l, name, os.O_RDWR)
				got := make([]byte, 3)
				if _, err := k.ReadAt(got, 0); string(got) != "new" {
					t.Errorf("the file has %q, %v", got, err)
				}
				unlock(t, k)
			})
		})
	}
}

// An error at any step leaves nothing locked.
func TestLockFails(t *testing.T) {
	for how, l := range allLocks() {
		t.Run(how, func(t *testing.T) {
			disktest.Fail(t, syscall.EIO, func(fsys *disktest.FS) { newFile(t, fsys) }, func(fsys *disktest.FS) error {
				k, err := mbox.OpenLocked(t.Context(), fsys, l, "/file", os.O_RDWR)
				if err == nil {
					err = k.Unlock()
				}
				fsys.FailAt(0, nil)
				_, left := fsys.Files()["/file.lock"]
				l.Stale = time.Millisecond // of what could not be removed
				if other, lerr := mbox.OpenLocked(t.Context(), fsys, l, "/file", os.O_RDWR); lerr != nil || left && err == nil {
					t.Errorf("after %v: %v, and a lock is left: %v", err, lerr, left)
				} else {
					other.Unlock()
				}
				return err
			}, func(t *testing.T, after *disktest.FS, err error) {})
		})
	}
	fsys := disktest.New()
	if _, err := mbox.OpenLocked(t.Context(), fsys, mbox.Locks{}, "/none", os.O_RDWR); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if len(fsys.Files()) > 0 {
		t.Errorf("left: %v", fsys.Files())
	}
	if _, err := mbox.OpenLocked(t.Context(), fsys, mbox.Locks{Methods: []mbox.LockMethod{7}}, "/file", os.O_RDWR|os.O_CREATE); err == nil {
		t.Error("an unknown method locked a file")
	}
}
