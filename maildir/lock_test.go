package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

const dotlock = listFile + ".lock"

// A delivery waits for Dovecot's lock until it is released, or left over.
func TestDotlock(t *testing.T) {
	host, err := os.Hostname()
	must(t, err)
	for _, tc := range []struct {
		name, content string
		waits         time.Duration
	}{
		{"of a live process", fmt.Sprintf("%d:%s", os.Getppid(), host), 2 * time.Minute},
		{"of another host", "1:elsewhere", 2 * time.Minute},
		{"of a dead process", "99999999:" + host, 0},
		{"of a process with our number before us", fmt.Sprintf("%d:%s", os.Getpid(), host), 0},
		{"whose content a crash lost", "", 10 * time.Second},
		{"of someone who says nothing of himself", "x", 2 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := disktest.New()
				mb := openMailbox(t, on(fsys), "INBOX")
				put(t, fsys, dotlock, tc.content)
				began := time.Now()
				deliver(t, mb, "x")
				if waited := time.Since(began); waited < tc.waits || waited > tc.waits+time.Second {
					t.Errorf("waited %v, want %v", waited, tc.waits)
				}
				if exists(fsys, dotlock) {
					t.Error("the lock is left")
				}
			})
		})
	}
}

func TestDotlockReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		put(t, fsys, dotlock, "1:elsewhere")
		time.AfterFunc(time.Minute, func() { fsys.Remove(dotlock) })
		began := time.Now()
		deliver(t, mb, "x")
		if waited := time.Since(began); waited < time.Minute || waited > time.Minute+time.Second {
			t.Errorf("waited %v, want a minute", waited)
		}
	})
}

// While the list is in use a lock is not taken for left over; in the end the call
// gives up, with nothing left behind.
func TestDotlockHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		put(t, fsys, dotlock, "1:elsewhere")
		stop := make(chan bool)
		go func() {
			for {
				select {
				case <-time.After(time.Minute):
					fsys.Chtimes(listFile, time.Now())
				case <-stop:
					return
				}
			}
		}()
		_, err := mailparts.Append(t.Context(), mb, incoming("x"))
		if !errors.Is(err, mailparts.ErrLocked) {
			t.Errorf("Append: %v, want ErrLocked", err)
		}
		close(stop)
		if left := append(in(fsys, "tmp/*"), in(fsys, "new/*")...); len(left) > 0 || !exists(fsys, dotlock) {
			t.Errorf("left: %q; Dovecot's lock is there: %v", left, exists(fsys, dotlock))
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := mailparts.Append(ctx, mb, incoming("x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Append with a deadline: %v", err)
		}
	})
}

// A look that cannot give UIDs to what others left says so, and the next look
// finds them.
func TestDotlockKeepsOutALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		deliver(t, mb, "x")
		put(t, fsys, filepath.Join(filepath.Dir(listFile), "new", "1.foreign"), "y\n")
		put(t, fsys, dotlock, "1:elsewhere")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if st, err := mb.Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Status: %d messages, %v, want no word of them", st.Messages, err)
		}
		must(t, fsys.Remove(dotlock))
		if st := status(t, mb); st.Messages != 2 {
			t.Errorf("Status: %d messages, want 2", st.Messages)
		}
	})
}

// Who is stopped for so long that its lock is taken over does not remove the new
// holder's.
func TestDotlockTakenOver(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, on(fsys), "INBOX")
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "rename" && strings.Contains(op.Path, "/tmp/") {
			fsys.Before = nil
			must(t, fsys.Remove(dotlock))
			put(t, fsys, dotlock, "1:elsewhere")
		}
		return nil
	}
	deliver(t, mb, "x")
	if !exists(fsys, dotlock) {
		t.Error("another's lock was removed")
	}
}

// The session lock excludes sessions in other processes, and nothing else.
func TestSessionLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb, other := openMailbox(t, on(fsys), "INBOX"), openMailbox(t, on(fsys), "INBOX")
		unlock, err := mb.(mailparts.Locker).Lock(t.Context())
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		before := fsys.Ops()
		if _, err := other.(mailparts.Locker).Lock(ctx); !errors.Is(err, mailparts.ErrLocked) {
			t.Errorf("a second Lock: %v, want ErrLocked", err)
		}
		if n := fsys.Ops() - before; n > 200 {
			t.Errorf("%d operations in ten seconds of waiting", n)
		}
		deliver(t, other, "x")
		want(t, other, "1 [] x")
		must(t, other.Expunge(t.Context(), mailparts.AllUIDs(), ""))

		time.AfterFunc(time.Hour, func() {
			if err := unlock(); err != nil {
				t.Error(err)
			}
		})
		again, err := other.(mailparts.Locker).Lock(t.Context())
		must(t, err)
		must(t, again())
		must(t, again())
	})
}
