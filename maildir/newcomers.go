package maildir

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/mailparts/mailparts"
)

// newcomer is a delivery that waits for the mailbox's lock.
//
// Who gets the lock places all that wait. Each change of a folder may have to wait
// for the file system to write what the delivery before is syncing: one after the
// other, with a dotlock each, they would wait as many times.
type newcomer struct {
	ctx    context.Context
	drafts []draft
	charge *charge

	done   chan struct{} // closed when what follows is known
	placed mailparts.Placed
	err    error
}

// newcomers are those of a mailbox.
type newcomers struct {
	mu      sync.Mutex
	waiting []*newcomer
}

func (q *newcomers) add(a *newcomer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, a)
}

// remove reports false for one that somebody has taken.
func (q *newcomers) remove(a *newcomer) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, a)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

func (q *newcomers) take() []*newcomer {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting
	q.waiting = nil
	return waiting
}

// errPanic is what the others hear when one of them ends in a panic.
var errPanic = errors.New("maildir: delivery ended by a panic")

// admit is placeAll for who does not hold the lock.
func (b *box) admit(ctx context.Context, drafts []draft, charge *charge) (mailparts.Placed, error) {
	a := &newcomer{ctx: ctx, drafts: drafts, charge: charge, done: make(chan struct{})}
	b.newcomers.add(a)
	select {
	case b.guard <- struct{}{}:
		select {
		case <-a.done:
			<-b.guard
			return a.placed, a.err
		default:
		}
	case <-a.done:
		return a.placed, a.err
	case <-ctx.Done():
		if b.newcomers.remove(a) {
			return mailparts.Placed{}, ctx.Err()
		}
		<-a.done // somebody is at it
		return a.placed, a.err
	}
	unlock, err := b.lockGuarded(ctx)
	if err != nil {
		if b.newcomers.remove(a) {
			return mailparts.Placed{}, err
		}
	} else {
		b.placeNewcomers(ctx)
		unlock()
	}
	<-a.done
	return a.placed, a.err
}

// placeNewcomers places all that wait. The caller, whose ctx it is, holds the lock.
func (b *box) placeNewcomers(ctx context.Context) {
	waiting := b.newcomers.take()
	for _, a := range waiting {
		a.err = errPanic
	}
	defer func() {
		for _, a := range waiting {
			close(a.done)
		}
	}()
	// A quota's lock is waited for before the list's: to count a tree takes long.
	if len(waiting) > 1 && !slices.ContainsFunc(waiting, func(a *newcomer) bool { return a.charge != nil }) {
		if unlock, err := b.lockList(ctx); err == nil { // else each tries, and fails, for itself
			defer unlock()
		}
	}
	for _, a := range waiting {
		if a.err = a.ctx.Err(); a.err == nil {
			a.placed, a.err = b.placeAll(a.ctx, a.drafts, a.charge)
		}
	}
}
