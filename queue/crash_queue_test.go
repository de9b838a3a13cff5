package queue_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

// world is what a queue delivers to. It survives the crash of the queue.
type world struct {
	mu       sync.Mutex
	accepted []string            // message IDs
	got      map[string][]string // recipients by message ID; bounces by that of the message they tell of
}

func (w *world) Deliver(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
	b, err := io.ReadAll(msg)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	errs := make(mailparts.RcptErrors, len(env.To))
	for i, to := range env.To {
		id, _, _ := strings.Cut(env.ID, ".")
		again := slices.Contains(w.got[id], "tried "+string(to.Addr))
		switch local := to.Addr.Local(); {
		case env.From == "" && !strings.Contains(string(b), "Final-Recipient: rfc822; never@"):
			return mailparts.RcptErrors{never} // no bounce that we know
		case local == "never":
			errs[i] = never
		case local == "later" && !again:
			w.got[id] = append(w.got[id], "tried "+string(to.Addr))
			errs[i] = later
		default:
			w.got[id] = append(w.got[id], string(to.Addr))
		}
	}
	return errs.Err()
}

// Wherever a queue crashes, or whatever fails, each recipient of what it accepted
// has the message, or its sender a bounce, or the entry is there.
func TestQueueCrash(t *testing.T) {
	workload := func(fsys *disktest.FS) *world {
		w := &world{got: map[string][]string{}}
		synctest.Test(t, func(t *testing.T) { runWorld(t, fsys, w) })
		return w
	}
	disktest.Crash(t, nil, workload, nothingLost)
	for _, errno := range []error{syscall.ENOSPC, syscall.EIO, syscall.EMFILE} {
		disktest.Fail(t, errno, nil, workload, nothingLost)
	}
}

func nothingLost(t *testing.T, after *disktest.FS, w *world) {
	s, err := OpenFS(after, "spool", small, large-1)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer s.Close()
	for _, e := range all(t, s) {
		id, _, _ := strings.Cut(e.Env.ID, ".")
		for _, to := range e.Env.To {
			w.got[id] = append(w.got[id], string(to.Addr))
		}
	}
	for _, id := range w.accepted {
		for _, to := range []string{"now@a.example", "later@a.example", "now@b.example"} {
			if !slices.Contains(w.got[id], to) {
				t.Errorf("message %s to %s is lost; there is %q", id, to, w.got[id])
			}
		}
		if !slices.Contains(w.got[id], "never@a.example") && !slices.Contains(w.got[id], "alice@example.org") {
			t.Errorf("message %s to never@a.example is lost without a bounce; there is %q", id, w.got[id])
		}
	}
}

// runWorld accepts messages and delivers them for an hour.
func runWorld(t *testing.T, fsys *disktest.FS, w *world) {
	s, err := OpenFS(fsys, "spool", small, large-1)
	if err != nil {
		return
	}
	q := &Queue{Spool: s, Routes: Routes{"*": w}, Concurrency: 1}
	done := make(chan error)
	go func() { done <- q.Run(context.Background()) }()
	for _, id := range []string{"one", "two"} {
		env := envelope("now@a.example", "never@a.example", "later@a.example", "now@b.example")
		env.ID = id
		if q.Deliver(context.Background(), env, strings.NewReader(strings.Repeat("x", 1000))) == nil {
			w.accepted = append(w.accepted, id)
		}
	}
	<-time.After(time.Hour)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	q.Shutdown(ctx)
	<-done
	s.Close()
}
