package watch

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/mailparts/mailparts/internal/disk"
)

// Process is the Hub of this process. There is one, because a user has only so many
// inotify instances, by default 128, and a Hub uses one.
var Process Hub

// Hub watches for any number of Watchers. The zero value works. A path that many
// watch costs one inotify watch, or one look.
type Hub struct {
	watchers atomic.Int64   // how many there are
	running  sync.WaitGroup // the goroutines; only tests wait

	mu       sync.Mutex // for all that follows, and the fields of sets and entries
	pending  []*set     // to be woken by the next flush
	stale    []*set     // wait for a renewer
	renewers int

	events notifier

	rounds map[time.Duration]*round
	nudge  chan struct{} // for lookAround: rounds has changed; nil: it does not run

	open func() (*fsnotify.Watcher, error)            // nil: fsnotify.NewWatcher
	add  func(w *fsnotify.Watcher, name string) error // nil: its Add
}

// entry is a path that is watched.
type entry struct {
	name  string // under which it is watched; a rename above it may have made it wrong
	marks []*mark
	dead  bool // no longer watched

	id fileID // if by events

	round *round // if by looks
	place place
	seen  sight // of the looking goroutine

	echo  time.Time // when its watchers are to be woken again
	timed bool      // a timer for that runs
}

// coalesce is how long to wait for more changes before waking.
const coalesce = 5 * time.Millisecond

// join makes s a watcher of e. The caller holds mu.
func (h *Hub) join(s *set, e *entry, effects effects) *mark {
	m := &mark{set: s, entry: e, effects: effects, index: len(e.marks)}
	e.marks = append(e.marks, m)
	return m
}

// leave takes a mark away, and the entry too if it was the last. The caller holds
// mu.
func (h *Hub) leave(m *mark) {
	e := m.entry
	if e.dead {
		return
	}
	last := len(e.marks) - 1
	e.marks[m.index] = e.marks[last]
	e.marks[m.index].index = m.index
	e.marks[last] = nil
	e.marks = e.marks[:last]
	if last > 0 {
		return
	}
	e.dead = true
	if e.round != nil {
		h.unlook(e)
	} else {
		h.unlisten(e)
	}
}

// drop ends a set.
func (h *Hub) drop(s *set) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.done {
		return
	}
	s.done = true
	for _, m := range s.marks {
		h.leave(m)
	}
	s.marks = nil
	h.watchers.Add(-1)
}

// mark notes a change for the next flush. The caller holds mu.
func (h *Hub) mark(s *set, effect Effect) {
	if s.done || effect == Nothing {
		return
	}
	if !s.started {
		s.early = max(s.early, effect)
		return
	}
	if s.pending == Nothing {
		h.pending = append(h.pending, s)
		if len(h.pending) == 1 {
			time.AfterFunc(coalesce, h.flush)
		}
	}
	s.pending = max(s.pending, effect)
}

// markAll notes a change of e of which no more is known. The caller holds mu.
func (h *Hub) markAll(e *entry) {
	for _, m := range e.marks {
		h.mark(m.set, m.any)
	}
}

// flush wakes whom changes were noted for.
func (h *Hub) flush() {
	h.mu.Lock()
	var awake []*set
	for _, s := range h.pending {
		if s.pending == Renew {
			h.renew(s)
		} else {
			awake = append(awake, s)
		}
		s.pending = Nothing
	}
	h.pending = nil
	h.mu.Unlock()
	for _, s := range awake {
		s.wake()
	}
}

// maxRenewers bounds how many goroutines ask Watchers for their paths: each may be
// stuck in a file system that does not answer.
const maxRenewers = 8

// renew has a set ask for its paths again. The caller holds mu.
func (h *Hub) renew(s *set) {
	if s.stale || s.done {
		return
	}
	s.stale = true
	h.stale = append(h.stale, s)
	if h.renewers < maxRenewers {
		h.renewers++
		h.running.Go(h.renewAll)
	}
}

func (h *Hub) renewAll() {
	for {
		h.mu.Lock()
		if len(h.stale) == 0 {
			h.stale = nil
			h.renewers--
			h.mu.Unlock()
			return
		}
		s := h.stale[0]
		h.stale = h.stale[1:]
		s.stale = false
		done := s.done
		h.mu.Unlock()
		if done {
			continue
		}
		s.arm() // on an error it is tried again
		s.wake()
	}
}

// Changed tells of a change that the caller has made to a path, the elements of
// which are joined, so that those of its watchers who depend on looks need not wait
// for the next one. It costs next to nothing while nobody watches, and so does
// Again.
func (h *Hub) Changed(fsys disk.FS, path ...string) {
	if h.watchers.Load() == 0 {
		return
	}
	name := filepath.Join(path...)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rounds {
		if e := r.entries[place{fsys, name}]; e != nil {
			h.markAll(e)
		}
	}
}

// Again has the watchers of a path woken after a time: for who knows that a change
// of which they may have been told can be read only then.
func (h *Hub) Again(fsys disk.FS, after time.Duration, path ...string) {
	if h.watchers.Load() == 0 {
		return
	}
	name := filepath.Join(path...)
	id, ok := fileID{}, false
	if _, ok = fsys.(disk.OS); ok {
		id, ok = identify(name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.events.byID[id]; e != nil && ok {
		h.echo(e, after)
	}
	for _, r := range h.rounds {
		if e := r.entries[place{fsys, name}]; e != nil {
			h.echo(e, after)
		}
	}
}

// echo has the watchers of e woken after a time, once for many calls. The caller
// holds mu.
func (h *Hub) echo(e *entry, after time.Duration) {
	if at := time.Now().Add(after); at.After(e.echo) {
		e.echo = at
	}
	if !e.timed {
		e.timed = true
		time.AfterFunc(after, func() { h.endEcho(e) })
	}
}

func (h *Hub) endEcho(e *entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rest := time.Until(e.echo); rest > 0 {
		time.AfterFunc(rest, func() { h.endEcho(e) })
		return
	}
	e.timed = false
	for _, m := range e.marks {
		h.mark(m.set, Wake)
	}
}

// gone ends an entry whose path is no longer what it was, and has its watchers
// look for what they watch. The caller holds mu.
func (h *Hub) gone(e *entry) {
	for _, m := range e.marks {
		h.mark(m.set, Renew)
	}
	e.dead = true
}
