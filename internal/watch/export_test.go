package watch

import (
	"time"

	"github.com/fsnotify/fsnotify"
)

// Wait returns when all goroutines of h have ended.
func (h *Hub) Wait() { h.running.Wait() }

// FailOpen has h find no inotify instance.
func (h *Hub) FailOpen(err error) {
	h.open = func() (*fsnotify.Watcher, error) { return nil, err }
}

// FailAdd has h find no inotify watch.
func (h *Hub) FailAdd(err error) {
	h.add = func(*fsnotify.Watcher, string) error { return err }
}

// Lose has h learn that events were lost.
func (h *Hub) Lose() {
	h.mu.Lock()
	w := h.events.w
	h.mu.Unlock()
	w.Errors <- fsnotify.ErrEventOverflow
}

// TakesErrors reports whether h takes errors of fsnotify while its lock is held, as by who
// waits for fsnotify's.
func (h *Hub) TakesErrors(errs ...error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, err := range errs {
		select {
		case h.events.w.Errors <- err:
		case <-time.After(20 * time.Second):
			return false
		}
	}
	return true
}

// Watched is how many paths events tell of, and how many are looked at.
func (h *Hub) Watched() (events, looks int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rounds {
		looks += len(r.entries)
	}
	return len(h.events.byID), looks
}
