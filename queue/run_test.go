package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	. "github.com/mailparts/mailparts/queue"
)

// script is a Deliverer that answers as its function says, and an Event listener:
// both in one protocol.
type script struct {
	answer func(ctx context.Context, env *mailparts.Envelope) error

	mu       sync.Mutex
	began    time.Time
	protocol []string
	flying   map[string]int // by destination
	most     map[string]int
}

func newScript(answer func(ctx context.Context, env *mailparts.Envelope) error) *script {
	return &script{answer: answer, began: time.Now(), flying: map[string]int{}, most: map[string]int{}}
}

func (s *script) note(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.protocol = append(s.protocol, fmt.Sprintf("%v ", time.Since(s.began))+fmt.Sprintf(format, a...))
}

func (s *script) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	if _, err := io.Copy(io.Discard, msg); err != nil {
		return err
	}
	dest := env.To[0].Addr.Domain()
	s.fly(dest, +1)
	defer s.fly(dest, -1)
	return s.answer(ctx, env)
}

func (s *script) fly(dest string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range []string{dest, "all"} {
		s.flying[d] += n
		s.most[d] = max(s.most[d], s.flying[d])
	}
}

func (s *script) event(_ context.Context, ev *Event) {
	s.note("%s %s %s", ev.Kind, ev.Rcpt.Addr, code(ev.Err))
}

// said returns the protocol since the last call.
func (s *script) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Join(s.protocol, "\n")
	s.protocol = nil
	return lines
}

// run runs q until the test ends.
func run(t *testing.T, q *Queue) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- q.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := q.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

func deliver(t *testing.T, q *Queue, env *mailparts.Envelope) {
	t.Helper()
	if err := q.Deliver(t.Context(), env, strings.NewReader("Subject: x\r\n\r\nbody\r\n")); err != nil {
		t.Fatal(err)
	}
}

var (
	later = &mailparts.Error{Code: 450, Status: "4.2.1", Message: "Later"}
	never = &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user", Host: "mx.example.com"}
)

func TestSchedule(t *testing.T) {
	for _, tc := range []struct {
		name   string
		retry  []time.Duration
		expire time.Duration
		want   []time.Duration // pauses, each up to a tenth longer
	}{
		{"default", nil, 0, []time.Duration{
			5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute,
			4 * time.Hour, 4 * time.Hour}},
		{"own", []time.Duration{time.Hour, 2 * time.Hour}, 6 * time.Hour, []time.Duration{time.Hour, 2 * time.Hour}},
		{"once", nil, time.Nanosecond, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var attempts []time.Time
				s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
					if env.From == "" {
						return nil
					}
					attempts = append(attempts, time.Now())
					<-time.After(time.Nanosecond)
					return later
				})
				q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: s.event, Retry: tc.retry, Expire: tc.expire}
				run(t, q)
				begin := time.Now()
				deliver(t, q, envelope("bob@example.com"))
				<-time.After(30 * 24 * time.Hour)
				synctest.Wait()
				var exact, jittered time.Duration
				for i, want := range tc.want {
					exact, jittered = exact+want, jittered+attempts[i+1].Sub(attempts[i])
					got := attempts[i+1].Sub(attempts[i])
					if got < want || got > want+want/10+time.Second {
						t.Errorf("pause %d is %v, want %v", i+1, got, want)
					}
				}
				if len(tc.want) > 0 && jittered < exact+time.Second {
					t.Errorf("pauses are exact: what failed together comes back together")
				}
				end := tc.expire
				if end == 0 {
					end = 5 * 24 * time.Hour
				}
				if last := attempts[len(attempts)-1].Sub(begin); end > time.Hour && last != end {
					t.Errorf("last attempt after %v, want %v", last, end)
				}
				if got := s.said(); !strings.Contains(got, "expired bob@example.com 450 4.2.1") || !strings.Contains(got, "delivered alice@example.org") {
					t.Errorf("it did not bounce when it expired:\n%s", got)
				}
				if left := keys(all(t, q.Spool)); left != "" {
					t.Errorf("left in the spool: %s", left)
				}
			})
		})
	}
}

// What each kind of answer does to each recipient.
func TestResults(t *testing.T) {
	unknown := errors.New("secret: connection to 10.0.0.1 failed")
	for _, tc := range []struct {
		name string
		err  error
		want string // Kind per recipient
		last string // what mailq may show of the deferred
	}{
		{"taken", nil, "delivered delivered delivered", ""},
		{"lasting", never, "bounced bounced bounced", ""},
		{"lasting, wrapped", fmt.Errorf("relay: %w", never), "bounced bounced bounced", ""},
		{"temporary", later, "deferred deferred deferred", "450 4.2.1 Later"},
		{"unknown", unknown, "deferred deferred deferred", "451 4.3.0 Temporary failure, please try again later"},
		{"by recipient", mailparts.RcptErrors{nil, never, later}, "delivered bounced deferred", "450 4.2.1 Later"},
		{"by recipient, one missing", mailparts.RcptErrors{nil, never}, "delivered bounced deferred", "451 4.3.0 Temporary failure, please try again later"},
		{"by recipient, wrapped", fmt.Errorf("x: %w", mailparts.RcptErrors{nil, nil, never}), "deferred deferred deferred", "451 4.3.0 Temporary failure, please try again later"},
		{"panic", nil, "deferred deferred deferred", "451 4.3.0 Temporary failure, please try again later"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
					if env.From == "" {
						return later
					}
					if tc.name == "panic" {
						panic("in a Deliverer")
					}
					return tc.err
				})
				got := map[mailparts.Address]string{}
				q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: func(_ context.Context, ev *Event) {
					if ev.Rcpt.Addr != "" && ev.Rcpt.Addr != "alice@example.org" {
						got[ev.Rcpt.Addr] = ev.Kind
					}
				}}
				run(t, q)
				deliver(t, q, envelope("a@example.com", "b@example.com", "c@example.com"))
				synctest.Wait()
				if s := got["a@example.com"] + " " + got["b@example.com"] + " " + got["c@example.com"]; s != tc.want {
					t.Errorf("%s, want %s", s, tc.want)
				}
				bounces := 0
				for _, e := range all(t, q.Spool) {
					if e.Env.From == "" {
						bounces++
						continue
					}
					if len(e.Env.To) != strings.Count(tc.want, "deferred") || len(e.Last) != len(e.Env.To) || e.Attempts != 1 {
						t.Errorf("left is %+v", e)
					}
					for _, last := range e.Last {
						if last != tc.last {
							t.Errorf("last answer %q, want %q", last, tc.last)
						}
					}
				}
				if want := min(1, strings.Count(tc.want, "bounced")); bounces != want {
					t.Errorf("%d bounces, want %d", bounces, want)
				}
			})
		})
	}
}

func TestReceipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := mailparts.Receipt{Host: "mx.example.com", Reply: "250 2.0.0 Ok", TLS: "TLS1.3"}
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
			mailparts.Report(ctx, env.To[1], said)
			return nil
		})
		got := map[mailparts.Address]mailparts.Receipt{}
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: func(_ context.Context, ev *Event) { got[ev.Rcpt.Addr] = ev.Receipt }}
		run(t, q)
		deliver(t, q, envelope("a@example.com", "b@example.com"))
		synctest.Wait()
		if got["a@example.com"] != (mailparts.Receipt{}) || got["b@example.com"] != said {
			t.Errorf("receipts %+v", got)
		}
	})
}

// A route that changes while mail waits is followed.
func TestRouteChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		take := func(name string) mailparts.Deliverer {
			return newScript(func(ctx context.Context, env *mailparts.Envelope) error {
				for _, to := range env.To {
					got = append(got, name+" "+string(to.Addr))
				}
				return nil
			})
		}
		s := newSpool(t)
		deliver(t, &Queue{Spool: s, Routes: Routes{"*": named("")}}, envelope("a@example.com", "b@example.com", "a@example.net"))
		q := &Queue{Spool: s, Routes: Routes{"example.com": take("com"), "b@example.com": take("b")}, Concurrency: 1}
		run(t, q)
		synctest.Wait()
		slices.Sort(got)
		if want := "b b@example.com, com a@example.com"; strings.Join(got, ", ") != want {
			t.Errorf("delivered by %s, want %s", strings.Join(got, ", "), want)
		}
		for _, e := range all(t, s) { // there is no way to it now
			if e.Dest != "example.net" || e.Last[0] != "451 4.4.4 No route to this address" {
				t.Errorf("left: %+v", e)
			}
		}
	})
}

func TestConcurrency(t *testing.T) {
	for _, tc := range []struct {
		concurrency, perDest int
		all, each            int
	}{
		{0, 0, 50, 10},
		{0, 3, 24, 3}, // 8 destinations
		{5, 2, 5, 2},
		{1, 0, 1, 1},
		{-1, -1, 240, 30},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
				<-time.After(time.Second)
				return nil
			})
			q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Concurrency: tc.concurrency, PerDest: tc.perDest}
			for i := range 240 {
				env := envelope(mailparts.Address(fmt.Sprintf("bob@d%d.example", i%8)))
				env.ID = fmt.Sprint(i)
				deliver(t, q, env)
			}
			run(t, q)
			<-time.After(time.Hour)
			if left := all(t, q.Spool); len(left) > 0 {
				t.Errorf("%d are left", len(left))
			}
			each := 0
			for dest, n := range s.most {
				if dest != "all" {
					each = max(each, n)
				}
			}
			if s.most["all"] != tc.all || each != tc.each {
				t.Errorf("at most %d at once, %d for one destination, want %d and %d", s.most["all"], each, tc.all, tc.each)
			}
		})
	}
}

// A destination that takes its time does not keep the others waiting.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
			if env.To[0].Addr.Domain() == "slow.example" {
				<-time.After(time.Hour)
			}
			return nil
		})
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: s.event, Concurrency: 12, PerDest: 10}
		for i := range 100 {
			env := envelope("bob@slow.example")
			env.ID = fmt.Sprint(i)
			deliver(t, q, env)
		}
		<-time.After(time.Minute)
		deliver(t, q, envelope("bob@fast.example"))
		s.said()
		run(t, q)
		synctest.Wait()
		if got := s.said(); got != "1m0s delivered bob@fast.example " {
			t.Errorf("protocol:\n%s", got)
		}
		<-time.After(24 * time.Hour)
	})
}

// Run sleeps until something is due, and wakes for what comes earlier.
func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		spool := &faulty{Spool: newSpool(t), next: func() error { looks++; return nil }}
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error { return nil })
		q := &Queue{Spool: spool, Routes: Routes{"*": s}, Event: s.event}
		hold := envelope("bob@later.example")
		hold.Hold = time.Now().Add(24 * time.Hour)
		deliver(t, q, hold)
		run(t, q)
		<-time.After(time.Hour)
		synctest.Wait()
		if looks != 2 { // what Deliver left to wake it, too
			t.Errorf("Run looked %d times in an idle hour", looks)
		}
		deliver(t, q, envelope("bob@now.example"))
		synctest.Wait()
		<-time.After(48 * time.Hour)
		want := "0s queued  \n1h0m0s queued  \n1h0m0s delivered bob@now.example \n24h0m0s delivered bob@later.example "
		if got := s.said(); got != want {
			t.Errorf("protocol:\n%s\nwant\n%s", got, want)
		}
	})
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error { return later })
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: s.event}
		deliver(t, q, envelope("bob@a.example", "bob@b.example"))
		held := newEntry("held", "a.example")
		held.Held = true
		put(t, q.Spool, "x", held)
		run(t, q)
		<-time.After(time.Minute)
		s.said()
		s.answer = func(ctx context.Context, env *mailparts.Envelope) error { return nil }
		if err := q.Flush(t.Context(), "a.example"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := s.said(); got != "1m0s delivered bob@a.example " {
			t.Errorf("protocol:\n%s", got)
		}
	})
}

// What was delivered is not delivered again because the spool could not save it.
func TestSaveIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 0
		spool := &faulty{Spool: newSpool(t), save: func() error {
			if failures++; failures <= 5 {
				return ErrFull
			}
			return nil
		}}
		deliveries := 0
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error { deliveries++; return nil })
		q := &Queue{Spool: spool, Routes: Routes{"*": s}, Event: s.event}
		run(t, q)
		deliver(t, q, envelope("bob@example.com"))
		<-time.After(time.Hour)
		if got := s.said(); deliveries != 1 || got != "0s queued  \n31s delivered bob@example.com " {
			t.Errorf("%d deliveries, protocol:\n%s", deliveries, got)
		}
	})
}

func TestSpoolFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		spool := &faulty{Spool: newSpool(t)}
		var unreadable atomic.Bool
		spool.open = func() error {
			if unreadable.Load() {
				return errors.New("disk on fire")
			}
			return nil
		}
		spool.next = func() error {
			if looks++; looks <= 10 {
				return errors.New("disk on fire")
			}
			return nil
		}
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error { return nil })
		q := &Queue{Spool: spool, Routes: Routes{"*": s}, Event: s.event}
		deliver(t, q, envelope("bob@example.com"))
		run(t, q)
		<-time.After(time.Hour)
		synctest.Wait()
		if got := s.said(); !strings.HasSuffix(got, "delivered bob@example.com ") {
			t.Errorf("protocol:\n%s", got)
		}
		// An entry that cannot be opened is tried again.
		unreadable.Store(true)
		deliver(t, q, envelope("carol@example.com"))
		<-time.After(time.Minute)
		unreadable.Store(false)
		<-time.After(time.Hour)
		if got := s.said(); !strings.Contains(got, "deferred carol@example.com 451 4.3.0") || !strings.HasSuffix(got, "delivered carol@example.com ") {
			t.Errorf("protocol:\n%s", got)
		}
	})
}

func TestRunErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSpool(t)
		q := &Queue{Spool: s}
		done := make(chan error)
		go func() { done <- q.Run(t.Context()) }()
		synctest.Wait()
		if err := q.Run(t.Context()); err == nil {
			t.Error("a second Run: want an error")
		}
		s.Close()
		q.Flush(t.Context(), "") // wakes it
		if err := <-done; !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Run on a closed spool: %v, want fs.ErrClosed", err)
		}
	})
}
