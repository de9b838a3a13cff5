package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
)

// defaultRetry and defaultExpire follow RFC 5321 section 4.5.4.1: often in the
// first hours, when most troubles end, then every few hours for 4 to 5 days.
var defaultRetry = []time.Duration{
	5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute, 4 * time.Hour,
}

const defaultExpire = 5 * 24 * time.Hour

// result is what an attempt came to for one recipient.
type result struct {
	to      mailparts.Rcpt
	err     error
	receipt mailparts.Receipt
	kind    string // of the Event
}

// attempt delivers a leased entry, and saves what came of it. Nothing durable
// precedes the delivery: a crash in between repeats it.
func (q *Queue) attempt(ctx context.Context, e *Entry) {
	results := q.deliver(ctx, e)
	cut := ctx.Err() != nil
	left := q.settle(ctx, e, results, cut)
	ctx = context.WithoutCancel(ctx)
	if !q.save(q.life, left) {
		return
	}
	for _, r := range results {
		if r.kind != "" {
			q.event(ctx, &Event{Kind: r.kind, Entry: left, Rcpt: r.to, Receipt: r.receipt, Err: r.err})
		}
	}
}

// deliver hands e to the Deliverers of its recipients.
func (q *Queue) deliver(ctx context.Context, e *Entry) []*result {
	results := make([]*result, len(e.Env.To))
	for i, to := range e.Env.To {
		results[i] = &result{to: to}
	}
	for _, g := range q.groups(e.Env.To, func(int, route) bool { return true }) {
		receipts, err := q.deliverGroup(ctx, e, g)
		for i, k := range g.index {
			results[k].err = mailparts.RcptError(err, i)
			results[k].receipt = receipts[g.to[i].Addr]
		}
	}
	return results
}

func (q *Queue) deliverGroup(ctx context.Context, e *Entry, g *group) (said map[mailparts.Address]mailparts.Receipt, err error) {
	if g.route.to == nil { // there was one when the mail was taken
		return nil, &mailparts.Error{Code: 451, Status: "4.4.4", Message: "No route to this address"}
	}
	msg, err := q.Spool.Open(ctx, e)
	if err != nil {
		return nil, err
	}
	defer msg.Close()
	var mu sync.Mutex
	reports := map[mailparts.Address]mailparts.Receipt{}
	ctx = mailparts.WithReceipts(ctx, func(to mailparts.Rcpt, r mailparts.Receipt) {
		mu.Lock()
		defer mu.Unlock()
		reports[to.Addr] = r
	})
	err = q.handOver(ctx, g.route.to, outgoing(e, g), msg)
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(reports), err
}

// handOver is d.Deliver with a panic as an error: one message must not stop the
// queue, now and at every start.
func (q *Queue) handOver(ctx context.Context, d mailparts.Deliverer, env *mailparts.Envelope, msg io.Reader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			q.logger().Error("panic in a Deliverer", "id", env.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return d.Deliver(ctx, env, msg)
}

// outgoing is the envelope for a group. What the queue has taken may go where
// its route leads: a backup MX relays for peers that may not relay. What is done
// to it on the way is not done to e, nor to other entries of the message.
func outgoing(e *Entry, g *group) *mailparts.Envelope {
	env := e.Env
	env.To, env.Attrs = slices.Clone(g.to), maps.Clone(env.Attrs)
	if !env.MayRelay() {
		peer := *env.Peer
		peer.Trusted = true
		env.Peer = &peer
	}
	return &env
}

// settle returns e as it is after an attempt, without those recipients that are
// finished, and notes in results what is to be told. An attempt that was cut off
// is none for those whose result it left open.
func (q *Queue) settle(ctx context.Context, e *Entry, results []*result, cut bool) *Entry {
	now := time.Now()
	expired := !now.Before(q.expiry(e))
	var failed []*result
	for _, r := range results {
		switch {
		case r.err == nil:
			r.kind = "delivered"
		case cut:
		case !mailparts.AsError(r.err).Temporary():
			r.kind = "bounced"
			failed = append(failed, r)
		case expired:
			r.kind = "expired"
			failed = append(failed, r)
		default:
			r.kind = "deferred"
		}
	}
	if err := q.bounce(ctx, e, failed, now); err != nil {
		q.logger().Error("queue cannot bounce, will try again", "id", e.ID, "err", err)
		for _, r := range failed {
			r.kind = "deferred"
		}
	}
	left := *e
	left.Env.To, left.Last = nil, nil
	for i, r := range results {
		switch r.kind {
		case "deferred":
			left.Env.To = append(left.Env.To, r.to)
			left.Last = append(left.Last, answer(r.err))
		case "":
			left.Env.To = append(left.Env.To, r.to)
			left.Last = append(left.Last, last(e, i))
		}
	}
	if !cut {
		left.Attempts++
		left.Due = q.nextDue(&left, now)
	}
	return &left
}

// answer is what may be told of err.
func answer(err error) string {
	e := *mailparts.AsError(err)
	e.Err = nil
	return e.Error()
}

func last(e *Entry, i int) string {
	if i < len(e.Last) {
		return e.Last[i]
	}
	return ""
}

// expiry is when e's last attempt is. What was to be held counts from its release.
func (q *Queue) expiry(e *Entry) time.Time {
	begin := e.Queued
	if e.Env.Hold.After(begin) {
		begin = e.Env.Hold
	}
	return begin.Add(cmp.Or(max(q.Expire, 0), defaultExpire))
}

// nextDue is when e is to be tried again: the last time when it expires.
func (q *Queue) nextDue(e *Entry, now time.Time) time.Time {
	retry := q.Retry
	if len(retry) == 0 {
		retry = defaultRetry
	}
	pause := retry[min(e.Attempts, len(retry))-1]
	if pause > 10 {
		pause += rand.N(pause / 10)
	}
	due := now.Add(pause)
	if end := q.expiry(e); now.Before(end) && due.After(end) {
		due = end
	}
	return due
}

// save saves e, again and again: what was delivered must not be delivered once
// more because the disk was full for a while. It keeps the slot meanwhile.
func (q *Queue) save(ctx context.Context, e *Entry) bool {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := q.Spool.Save(context.WithoutCancel(ctx), e)
		if err == nil {
			return true
		}
		q.logger().Error("queue cannot save an entry", "id", e.ID, "err", err)
		if errors.Is(err, ErrLeased) || errors.Is(err, fs.ErrClosed) {
			return false
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
	}
}
