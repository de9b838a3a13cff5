package watch

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// Path is a file or a folder to watch. That it comes, goes or is replaced is
// always a change, after which the paths are asked for again.
type Path struct {
	Name string

	// Effect says what follows when the file of that name in the folder comes,
	// goes or changes. Nil: Wake for all names. Where events do not tell the
	// names, any change of a folder with Effect means Renew.
	Effect func(name string) Effect

	// Files are those in the folder whose content counts. Looks need to know:
	// it does not change the folder.
	Files []string
}

// Effect is what follows from a change.
type Effect uint8

// From the weakest to the strongest.
const (
	Nothing Effect = iota // it does not count
	Wake                  // the watcher is woken
	Renew                 // its paths are asked for again before it is woken
)

// DefaultPoll is how often to look where the system does not tell of changes.
const DefaultPoll = 2 * time.Second

// A Watcher is who wants to know of changes.
type Watcher struct {
	// Paths calls add for each path to watch. The path is watched when add
	// returns: a folder that is added before it is read has no entry that is
	// overlooked. Paths is called by Hub.Watch, and again after a change with the
	// effect Renew, on another goroutine but never twice at once. After an error,
	// which only Hub.Watch returns, what was watched stays so, the watcher is
	// woken, and a little later Paths is called again.
	Paths func(add func(Path)) error

	// Wake is called after changes. It must not block.
	Wake func()

	// FS has the paths. Nil: disk.OS. Others must be comparable.
	FS disk.FS

	// Poll, if not zero, is how often to look, and nobody else is asked. Zero:
	// the system tells where it can, and elsewhere DefaultPoll.
	Poll time.Duration

	// Log is told when watches run out. Nil: nobody.
	Log *slog.Logger
}

// Watch has w woken after changes until ctx is done. Its errors are those of ctx
// and of w.Paths, and then nothing is watched.
func (h *Hub) Watch(ctx context.Context, w Watcher) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.FS == nil {
		w.FS = disk.OS{}
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	s := &set{hub: h, ctx: ctx, Watcher: w}
	h.watchers.Add(1)
	if err := s.arm(); err != nil {
		h.drop(s)
		return err
	}
	h.mu.Lock()
	s.started = true
	if s.early != Nothing {
		h.mark(s, s.early)
	}
	h.mu.Unlock()
	context.AfterFunc(ctx, func() { h.drop(s) })
	return nil
}

// set is a Watcher with what is watched for it.
type set struct {
	Watcher
	hub    *Hub
	ctx    context.Context
	arming sync.Mutex // held while Paths is asked

	// What follows is under the hub's mu.
	marks   []*mark
	early   Effect // of changes before Watch returns
	pending Effect // of changes since the last flush
	stale   bool   // waits for renew
	started bool
	done    bool
}

// mark is that a set watches an entry.
type mark struct {
	set   *set
	entry *entry
	index int // in the entry's marks
	effects
}

// effects are those of changes of an entry.
type effects struct {
	of       func(name string) Effect // of a file in it; nil: Wake
	any      Effect                   // of which no more is known
	replaced Effect
}

func effectsOf(p Path) effects {
	if p.Effect == nil {
		return effects{any: Wake, replaced: Renew}
	}
	return effects{of: p.Effect, any: Renew, replaced: Renew}
}

// interval is how often to look where that must be.
func (s *set) interval() time.Duration { return cmp.Or(s.Poll, DefaultPoll) }

// arm watches what Paths says, and then no longer what it said before. Both are
// watched for a moment, so that what they share is not left in between.
func (s *set) arm() error {
	s.arming.Lock()
	defer s.arming.Unlock()
	h := s.hub
	var marks []*mark
	err := s.Paths(func(p Path) {
		p.Name = filepath.Clean(p.Name)
		if m := h.listen(s, p); m != nil {
			marks = append(marks, m)
			return
		}
		marks = append(marks, h.look(s, p.Name, effectsOf(p)))
		for _, f := range p.Files {
			marks = append(marks, h.look(s, filepath.Join(p.Name, f), effects{any: Wake, replaced: Wake}))
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && !s.done {
		marks, s.marks = s.marks, marks
	}
	for _, m := range marks {
		h.leave(m)
	}
	if err != nil && s.started && !s.done {
		h.retry(s)
	}
	return err
}

// wake wakes the watcher, unless it has ended.
func (s *set) wake() {
	if s.ctx.Err() == nil {
		s.Wake()
	}
}
