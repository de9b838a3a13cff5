package watch

import (
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// round is all that is looked at in one interval.
type round struct {
	every   time.Duration
	due     time.Time
	entries map[place]*entry
	retries []*set // that could not say their paths
}

// place is a path on a disk.
type place struct {
	fsys disk.FS
	name string
}

// look watches a path by looks.
func (h *Hub) look(s *set, name string, effects effects) *mark {
	at := place{s.FS, name}
	first := sight{}
	first.look(at) // not under mu: the file system may not answer
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.round(s.interval())
	e := r.entries[at]
	if e == nil {
		e = &entry{name: name, round: r, place: at, seen: first}
		r.entries[at] = e
	}
	return h.join(s, e, effects)
}

// retry has a set say its paths again in the next round. The caller holds mu.
func (h *Hub) retry(s *set) {
	r := h.round(s.interval())
	r.retries = append(r.retries, s)
}

// round returns the one of an interval. The caller holds mu.
func (h *Hub) round(every time.Duration) *round {
	r := h.rounds[every]
	if r != nil {
		return r
	}
	r = &round{every: every, due: time.Now().Add(every), entries: map[place]*entry{}}
	if h.rounds == nil {
		h.rounds = map[time.Duration]*round{}
	}
	h.rounds[every] = r
	if h.nudge == nil {
		h.nudge = make(chan struct{}, 1)
		h.running.Go(h.lookAround)
	} else {
		h.nudgeLooker()
	}
	return r
}

// unlook ends an entry that nobody watches. The caller holds mu.
func (h *Hub) unlook(e *entry) {
	r := e.round
	delete(r.entries, e.place)
	if h.end(r) {
		h.nudgeLooker()
	}
}

// end ends a round with nothing in it. The caller holds mu.
func (h *Hub) end(r *round) bool {
	if len(r.entries) > 0 || len(r.retries) > 0 {
		return false
	}
	delete(h.rounds, r.every)
	return true
}

func (h *Hub) nudgeLooker() {
	select {
	case h.nudge <- struct{}{}:
	default:
	}
}

// lookAround is the goroutine that looks, for as long as there are rounds.
func (h *Hub) lookAround() {
	for {
		h.mu.Lock()
		var r *round
		for _, x := range h.rounds {
			if r == nil || x.due.Before(r.due) {
				r = x
			}
		}
		if r == nil {
			h.nudge = nil
			h.mu.Unlock()
			return
		}
		wait, nudge := time.Until(r.due), h.nudge
		var entries []*entry
		if wait <= 0 {
			entries = h.begin(r)
		}
		h.mu.Unlock()
		for _, e := range entries {
			h.lookAt(e)
		}
		if wait > 0 {
			pause(wait, nudge)
		}
	}
}

// begin begins a round, and returns what to look at. The caller holds mu.
func (h *Hub) begin(r *round) []*entry {
	r.due = time.Now().Add(r.every)
	for _, s := range r.retries {
		h.renew(s)
	}
	r.retries = nil
	h.end(r)
	return slices.Collect(maps.Values(r.entries))
}

func pause(d time.Duration, nudge <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-nudge:
	}
}

func (h *Hub) lookAt(e *entry) {
	change := e.seen.look(e.place)
	if change == same {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range e.marks {
		if change == replaced {
			h.mark(m.set, m.replaced)
		} else {
			h.mark(m.set, m.any)
		}
	}
}

// sight is what was seen of a path. A change after that changes something of it,
// unless both are within one tick of the file system's clock.
type sight struct {
	info    fs.FileInfo // nil: nothing is there, or it cannot be told
	since   time.Time   // when it was seen like this first
	settled bool        // it was seen so when no change could leave it so any more
}

type change uint8

const (
	same change = iota
	touched
	replaced
)

// look looks again. What is not settled counts as touched again once it is: then
// who reads sees all that was done in that tick.
func (s *sight) look(at place) change {
	now := time.Now()
	fi, err := at.fsys.Stat(at.name)
	if err != nil {
		fi = nil
	}
	c := touched
	switch old := s.info; {
	case fi == nil && old == nil && !s.since.IsZero():
		return same
	case fi == nil || old == nil || !disk.SameFile(fi, old):
		c = replaced
	case fi.ModTime().Equal(old.ModTime()) && fi.Size() == old.Size():
		c = same
	}
	s.info = fi
	if c != same {
		s.since, s.settled = now, fi == nil
	}
	if !s.settled && now.Sub(s.since) >= tick(fi.ModTime()) {
		s.settled = true
		c = max(c, touched)
	}
	return c
}

// tick is how coarse the clock behind a modification time may be: file systems
// that keep whole seconds have one of up to two, others that of the kernel.
func tick(mtime time.Time) time.Duration {
	if mtime.Nanosecond() == 0 {
		return 2 * time.Second
	}
	return 20 * time.Millisecond
}
