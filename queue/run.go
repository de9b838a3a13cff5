package queue

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math"
	"time"
)

const (
	defaultConcurrency = 50
	defaultPerDest     = 10

	// cutGrace is how long Shutdown waits for the attempts that it cut off to
	// note their results.
	cutGrace = time.Second
)

// Run delivers until ctx ends or Shutdown is called, and starts nothing more
// then. Attempts in flight go on: Shutdown waits for them. One Run at a time;
// intake works without it. It returns nil, or an error if it cannot run: another
// does, or the spool is closed.
func (q *Queue) Run(ctx context.Context) error {
	q.init()
	q.mu.Lock()
	running := q.running
	q.running = true
	q.mu.Unlock()
	if running {
		return errors.New("queue: Run is running")
	}
	defer func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.running = false
	}()
	q.logRecovery()
	var pause time.Duration // after errors of the spool
	for {
		next, err := q.startDue(ctx)
		if errors.Is(err, fs.ErrClosed) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			pause = min(max(2*pause, time.Second), time.Minute)
			next = time.Now().Add(pause)
			q.logger().Error("queue cannot read its spool", "err", err, "pause", pause)
		} else {
			pause = 0
		}
		if !q.wait(ctx, next) {
			return nil
		}
	}
}

// logRecovery tells of what a crash or a bad disk has left: Open could tell
// nobody.
func (q *Queue) logRecovery() {
	s, ok := q.Spool.(interface{ Recovery() Recovery })
	if !ok {
		return
	}
	r := s.Recovery()
	for _, b := range r.Broken {
		q.logger().Error("queue log was broken, messages are in the folder bad", "segment", b.Segment, "offset", b.Offset, "size", b.Size)
	}
	if r.Torn > 0 || r.Orphans > 0 {
		q.logger().Warn("queue was not stopped in peace", "torn", r.Torn, "orphans", r.Orphans)
	}
}

// startDue starts attempts while there are free slots and entries due for them,
// and returns when one will be, zero for never.
func (q *Queue) startDue(ctx context.Context) (next time.Time, err error) {
	for q.free() {
		entries, next, err := q.Spool.Next(ctx, Query{Now: time.Now(), Skip: q.busy, Max: 1})
		if err != nil || len(entries) == 0 {
			return next, err
		}
		for _, e := range entries {
			q.start(ctx, e)
		}
	}
	return time.Time{}, nil
}

// wait returns when there may be something to do, or false when there never is.
func (q *Queue) wait(ctx context.Context, next time.Time) bool {
	var due <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-q.stop:
		return false
	case <-ctx.Done():
		return false
	case <-q.wake:
	case <-due:
	}
	return ctx.Err() == nil
}

// poke makes Run look again.
func (q *Queue) poke() {
	q.init()
	select {
	case q.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (q *Queue) free() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.stopped && q.attempts < limit(q.Concurrency, defaultConcurrency)
}

func (q *Queue) busy(dest string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.perDest[dest] >= limit(q.PerDest, defaultPerDest)
}

// limit is n, byDefault for 0, or none if n is negative.
func limit(n, byDefault int) int {
	if n < 0 {
		return math.MaxInt
	}
	return cmp.Or(n, byDefault)
}

// start attempts e in a goroutine of its own, unless Shutdown came first.
func (q *Queue) start(ctx context.Context, e *Entry) {
	q.mu.Lock()
	stopped := q.stopped
	if !stopped {
		q.attempts++
		q.perDest[e.Dest]++
	}
	q.mu.Unlock()
	if stopped {
		q.save(q.life, e)
		return
	}
	ctx = context.WithoutCancel(ctx) // it goes on when Run ends
	dest := e.Dest
	go func() {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(q.life, cancel)()
		defer q.done(dest)
		q.attempt(ctx, e)
	}()
}

func (q *Queue) done(dest string) {
	q.mu.Lock()
	q.attempts--
	if q.perDest[dest]--; q.perDest[dest] == 0 {
		delete(q.perDest, dest)
	}
	if q.stopped && q.attempts == 0 {
		close(q.idle)
	}
	q.mu.Unlock()
	q.poke()
}

// Shutdown ends Run, waits for the attempts in flight, and cuts them off when ctx
// ends: then it returns ctx's error. What was cut off is due as before. A Queue
// that was shut down does not run again, but takes mail as long as its spool does.
func (q *Queue) Shutdown(ctx context.Context) error {
	q.init()
	q.mu.Lock()
	if !q.stopped {
		q.stopped = true
		close(q.stop)
		if q.attempts == 0 {
			close(q.idle)
		}
	}
	q.mu.Unlock()
	select {
	case <-q.idle:
		return nil
	case <-ctx.Done():
	}
	q.endLife()
	select {
	case <-q.idle:
	case <-time.After(cutGrace):
	}
	return ctx.Err()
}

// Flush makes a destination's entries due now, those held not (ETRN: RFC 1985).
// dest is as in Entry. Entries that cannot be read do not keep the others: the
// error tells of the last.
func (q *Queue) Flush(ctx context.Context, dest string) error {
	q.init()
	defer q.poke()
	now := time.Now()
	var unread error
	for e, err := range q.Spool.All(ctx) {
		if err != nil {
			unread = err
			continue
		}
		if e.Dest != dest || e.Held || !e.Due.After(now) {
			continue
		}
		e, err = q.Spool.Lease(ctx, e.ID)
		if errors.Is(err, ErrLeased) || errors.Is(err, ErrNoEntry) {
			continue // it is being attempted, or finished
		}
		if err != nil {
			return err
		}
		e.Due = now
		q.save(q.life, e)
	}
	return unread
}
