package maildir

import "sync"

// syncGroup lets callers at one time share a sync: one that begins after a
// caller's call does for it, and for all who came before it began.
type syncGroup struct {
	mu      sync.Mutex
	running sync.Mutex
	next    *sharedSync // not begun
}

type sharedSync struct {
	done chan struct{}
	err  error
}

// do returns what a call of sync answered that began after do did.
func (g *syncGroup) do(sync func() error) error {
	g.mu.Lock()
	s := g.next
	if s != nil {
		g.mu.Unlock()
		<-s.done
		return s.err
	}
	s = &sharedSync{done: make(chan struct{})}
	g.next = s
	g.mu.Unlock()

	g.running.Lock()
	g.mu.Lock()
	g.next = nil
	g.mu.Unlock()
	s.err = sync()
	g.running.Unlock()
	close(s.done)
	return s.err
}
