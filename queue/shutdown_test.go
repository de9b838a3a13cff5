package queue_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

func TestShutdownWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
			select {
			case <-time.After(time.Minute):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, PerDest: 1}
		deliver(t, q, envelope("a@a.example", "b@b.example"))
		env := envelope("a@a.example")
		env.ID = "second"
		deliver(t, q, env)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- q.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		begin := time.Now()
		if err := q.Shutdown(context.Background()); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("Shutdown: %v after %v, want nil after a minute", err, time.Since(begin))
		}
		left := all(t, q.Spool)
		if len(left) != 1 || !strings.HasPrefix(keys(left), "second.") {
			t.Errorf("left: %s", keys(left))
		}
		if err := q.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown again: %v", err)
		}
		if err := q.Run(context.Background()); err != nil {
			t.Errorf("Run after Shutdown: %v", err)
		}
		if len(all(t, q.Spool)) != 1 {
			t.Error("Run after Shutdown delivers")
		}
	})
}

func TestShutdownCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
			<-ctx.Done()
			return mailparts.RcptErrors{nil, never, ctx.Err()}
		})
		fsys := disktest.New()
		spool, err := OpenFS(fsys, "spool", 1<<20, MaxInline)
		if err != nil {
			t.Fatal(err)
		}
		q := &Queue{Spool: spool, Routes: Routes{"*": s}, Event: s.event}
		go q.Run(t.Context())
		begin := time.Now()
		deliver(t, q, envelope("a@example.com", "b@example.com", "c@example.com"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := q.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v, want its context's error", err)
		}
		if got := s.said(); got != "0s queued  \n1m0s delivered a@example.com " {
			t.Errorf("protocol:\n%s", got)
		}
		if err := spool.Close(); err != nil {
			t.Fatal(err)
		}
		if spool, err = OpenFS(fsys, "spool", 1<<20, MaxInline); err != nil {
			t.Fatal(err)
		}
		defer spool.Close()
		left := slices.Collect(maps.Values(all(t, spool)))
		if len(left) != 1 || len(left[0].Env.To) != 2 || left[0].Attempts != 0 || !left[0].Due.Equal(begin) {
			t.Errorf("left: %+v", left)
		}
	})
}

// A Deliverer that ignores its context does not hold up Shutdown for ever.
func TestShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
			<-time.After(time.Hour)
			return nil
		})
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}}
		go q.Run(t.Context())
		deliver(t, q, envelope("a@example.com"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := q.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 2*time.Minute {
			t.Errorf("Shutdown: %v after %v", err, time.Since(begin))
		}
		<-time.After(time.Hour) // the bubble must end without goroutines
	})
}
