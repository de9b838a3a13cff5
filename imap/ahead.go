package imap

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/mailparts/mailparts"
)

// Bounds of what is looked at together: messages, and octets that are derived of them.
const (
	maxAhead       = 128
	maxAheadOctets = 4 << 20
	maxOctetsKept  = 64 << 10 // of the room for one message
)

// ahead has messages looked at that must be read for it, several at a time on as many
// goroutines as there are processors, and takes them one by one in their order. Nothing
// goes on when add or drain returns.
type ahead struct {
	q    *query
	look func(q *query) (verdict, error) // at q.message, on any goroutine
	take func(q *query, v verdict) error // in order, with what look has left in q
	gone func()                          // if not nil, for a message that is expunged by now

	queue   []*looked // its capacity has those that were used before
	workers []*query
	n       int   // of messages
	held    int   // octets of Derived in the queue
	lost    error // of the connection
}

// looked is a message in the queue, and what came of the look at it.
type looked struct {
	message mailparts.Message // with Flags and Derived of its own
	flags   []mailparts.Flag
	octets  []byte

	view    derived
	verdict verdict
	err     error
	done    bool
}

// add takes a message that is in q.message: at once if nothing of it has to be read.
func (a *ahead) add(ready bool) error {
	if a.n++; a.n%1024 == 0 { // of those at once; the others see to it while they are looked at
		if err := a.q.goesOn(); err != nil {
			return err
		}
	}
	if ready && len(a.queue) == 0 {
		v, err := a.look(a.q)
		return a.taken(v, err)
	}
	n := len(a.queue)
	if n == cap(a.queue) {
		a.queue = append(a.queue, new(looked))
	} else if a.queue = a.queue[:n+1]; a.queue[n] == nil {
		a.queue[n] = new(looked)
	}
	a.queue[n].hold(&a.q.message)
	if a.held += len(a.q.message.Derived); len(a.queue) < maxAhead && a.held < maxAheadOctets {
		return nil
	}
	return a.drain()
}

// hold copies what is valid for the iteration only, or may change.
func (l *looked) hold(m *mailparts.Message) {
	l.flags = append(l.flags[:0], m.Flags...)
	l.octets = append(l.octets[:0], m.Derived...)
	l.message, l.done = *m, false
	l.message.Flags, l.message.Derived = l.flags, l.octets
}

// drain takes all that are in the queue.
func (a *ahead) drain() error {
	for from := 0; from < len(a.queue); {
		if a.lookAtAll(a.queue[from:]); a.lost != nil {
			return a.lost
		}
		for from < len(a.queue) && a.queue[from].done {
			l := a.queue[from]
			a.q.message, a.q.derived = l.message, l.view
			a.q.cache.add(a.q.session, l.message.UID, &l.view)
			l.view = derived{}
			if cap(l.octets) > maxOctetsKept {
				l.octets = nil
			}
			if err := a.taken(l.verdict, l.err); err != nil {
				return err
			}
			from++
		}
	}
	a.queue, a.held = a.queue[:0], 0
	return nil
}

// taken passes on what a look has found, unless the message was expunged since.
func (a *ahead) taken(v verdict, err error) error {
	switch {
	case err == nil:
		return a.take(a.q, v)
	case !errors.Is(err, mailparts.ErrNoMessage):
		return err
	case a.gone != nil:
		a.gone()
	}
	return nil
}

// lookAtAll looks at messages, or at the first of them if they are very much.
func (a *ahead) lookAtAll(queue []*looked) {
	var next, octets atomic.Int64
	work := func(q *query, goesOn func() error) {
		for octets.Load() < maxAheadOctets {
			i := next.Add(1) - 1
			if i >= int64(len(queue)) {
				return
			}
			if err := goesOn(); err != nil {
				a.lost = err
				octets.Store(maxAheadOctets) // the others end
				return
			}
			l := queue[i]
			q.begin(&l.message)
			l.verdict, l.err = a.look(q)
			l.view, l.done = q.derived, true
			octets.Add(int64(len(l.view.fresh)))
		}
	}
	n := min(runtime.GOMAXPROCS(0), len(queue))
	for len(a.workers) < n {
		a.workers = append(a.workers, &query{session: a.q.session, root: a.q.root, now: a.q.now})
	}
	var wg sync.WaitGroup
	var panicked atomic.Pointer[string]
	for _, q := range a.workers[1:n] {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					text := fmt.Sprintf("%v\n%s", p, debug.Stack())
					panicked.Store(&text)
				}
			}()
			work(q, func() error { return nil })
		})
	}
	func() {
		defer wg.Wait()
		work(a.workers[0], a.q.goesOn)
	}()
	if p := panicked.Load(); p != nil {
		panic(*p) // where the session can say so
	}
}

// close lets go of the messages that are open.
func (a *ahead) close() {
	for _, q := range a.workers {
		q.body.close()
	}
}
