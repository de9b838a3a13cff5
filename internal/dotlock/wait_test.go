package dotlock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/internal/dotlock"
)

// Who waits gets a lock that is given back or left behind, and nobody waits for ever.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		m := maker(fsys)
		held, err := m.Wait(t.Context(), "/f")
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { held.Unlock() })
		start := time.Now()
		lock, err := (&dotlock.Maker{FS: fsys, Host: "elsewhere", Log: m.Log, Mode: m.Mode}).Wait(t.Context(), "/f")
		if took := time.Since(start); err != nil || took < time.Minute || took > time.Minute+time.Second {
			t.Fatalf("after %v: %v", took, err)
		}

		start = time.Now()
		if _, err := m.Wait(t.Context(), "/f"); err != nil || time.Since(start) < dotlock.Stale {
			t.Errorf("of one left behind on another host: after %v, %v", time.Since(start), err)
		}
		if err := lock.Check(); !errors.Is(err, dotlock.ErrLost) {
			t.Errorf("who has left it behind: %v, want ErrLost", err)
		}

		start = time.Now()
		err = dotlock.Wait(t.Context(), "/g", func() error { return disk.ErrLocked })
		if took := time.Since(start); !errors.Is(err, mailparts.ErrLocked) || took < dotlock.Stale || took > 2*dotlock.Stale {
			t.Errorf("of one that is never free: after %v, %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := dotlock.Wait(ctx, "/g", func() error { return disk.ErrLocked }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("when its context has ended: %v", err)
		}
	})
}
