package queue

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
)

// fullPause is how long Mail refuses after a Put that found no room. Then the
// next message may try.
const fullPause = 5 * time.Second

// Deliver implements mailparts.Deliverer: on nil the message is in the spool. It
// reads msg to its end and keeps its octets as they are. Recipients that have one
// route and one destination share an Entry, and so an attempt.
//
// What it refuses, per recipient if not all: relaying (550 5.7.1), an address
// without a route (550 5.4.4), a message that loops (554 5.4.6), and anything
// while the spool is full (452 4.3.1). A repeat of what is queued is taken for
// done, by env.ID and the addresses in env.
func (q *Queue) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	errs := make(mailparts.RcptErrors, len(env.To))
	entries := q.split(env, errs)
	if len(env.To) == 0 {
		return &mailparts.Error{Code: 554, Status: "5.5.1", Message: "No recipients"}
	}
	if len(entries) == 0 {
		return errs.Err()
	}
	msg = &hopReader{r: msg}
	err := q.Spool.Put(ctx, msg, entries...)
	switch {
	case errors.Is(err, ErrExists):
		if _, err := io.Copy(io.Discard, msg); err != nil { // there is a message only after io.EOF
			return err
		}
		return errs.Err()
	case errors.Is(err, ErrFull):
		return q.full(err)
	case err != nil:
		return err
	}
	for _, e := range entries {
		q.event(ctx, &Event{Kind: "queued", Entry: e})
	}
	q.poke()
	return errs.Err()
}

// split makes the entries of a message, and notes in errs who is refused.
func (q *Queue) split(env *mailparts.Envelope, errs mailparts.RcptErrors) []*Entry {
	id := env.ID
	if id == "" {
		id = rand.Text()
	}
	prefix := id
	if len(id) > 200 || !utf8.ValidString(id) { // no ID of an Entry
		sum := sha256.Sum256([]byte(id))
		prefix = hex.EncodeToString(sum[:])
	}
	now := time.Now()
	due := now
	if env.Hold.After(now) {
		due = env.Hold
	}
	var entries []*Entry
	for _, g := range q.groups(env.To, func(i int, r route) bool {
		errs[i] = admit(env, r)
		return errs[i] == nil
	}) {
		e := &Entry{Dest: g.dest, Env: *env, Queued: now, Due: due}
		e.Env.ID, e.Env.To = id, g.to
		e.ID = prefix + "." + digest(env.From, g.to)
		entries = append(entries, e)
	}
	return entries
}

// digest tells apart what has the same ID and is not the same: it is what makes
// a repeat one, and an entry unlike its siblings.
func digest(from mailparts.Address, to []mailparts.Rcpt) string {
	h := sha256.New()
	io.WriteString(h, string(from))
	for _, r := range to {
		io.WriteString(h, "\n"+string(r.Addr))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// admit refuses what may not pass or has no way to go.
func admit(env *mailparts.Envelope, r route) error {
	switch {
	case !r.ours && !env.MayRelay():
		return &mailparts.Error{Code: 550, Status: "5.7.1", Message: "Relaying denied"}
	case r.to == nil:
		return &mailparts.Error{Code: 550, Status: "5.4.4", Message: "No route to this address"}
	}
	return nil
}

// full is what the peer gets for ErrFull, and Mail remembers.
func (q *Queue) full(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fullTill = time.Now().Add(fullPause)
	return &mailparts.Error{Code: 452, Status: "4.3.1", Message: "Insufficient system storage", Err: err}
}

// Mail implements mailparts.Receiver.
func (q *Queue) Mail(_ context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	q.mu.Lock()
	full := time.Now().Before(q.fullTill)
	q.mu.Unlock()
	if full {
		return nil, &mailparts.Error{Code: 452, Status: "4.3.1", Message: "Insufficient system storage"}
	}
	return &transaction{q, env}, nil
}

// transaction is a message on its way into the queue.
type transaction struct {
	q   *Queue
	env *mailparts.Envelope
}

func (t *transaction) Rcpt(_ context.Context, to *mailparts.Rcpt) error {
	return admit(t.env, t.q.route(to.Addr))
}

func (t *transaction) Data(ctx context.Context, msg io.Reader) error {
	return t.q.Deliver(ctx, t.env, msg)
}

func (t *transaction) Close() {}
