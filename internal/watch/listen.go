package watch

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fsnotify/fsnotify"

	"github.com/mailparts/mailparts/internal/disk"
)

// notifier is the part of a Hub that events tell.
//
// An inotify watch is on an inode, and fsnotify knows it by the name under which
// it was asked for. So entries are found by both, and no name is asked for while
// an entry has it that is another inode: that one is given up first.
type notifier struct {
	w      *fsnotify.Watcher // nil: none runs
	stop   chan struct{}     // ends its goroutine
	byID   map[fileID]*entry
	byName map[string]*entry
	short  bool // the last watch or instance asked for was refused
}

// fileID is an inode.
type fileID struct{ dev, ino uint64 }

// listen watches a path by events, or returns nil if that cannot be.
func (h *Hub) listen(s *set, p Path) *mark {
	if _, ok := s.FS.(disk.OS); !ok || s.Poll != 0 {
		return nil
	}
	for range 3 { // another file may take the name meanwhile
		id, ok := identify(p.Name)
		if !ok || !tells(p.Name) {
			return nil
		}
		h.mu.Lock()
		e := h.events.byID[id]
		known := e != nil
		if !known {
			e = h.register(s, p.Name, id)
		}
		if e == nil {
			h.mu.Unlock()
			return nil
		}
		m := h.join(s, e, effectsOf(p))
		h.mu.Unlock()
		if known {
			return m
		}
		if now, ok := identify(p.Name); ok && now == id {
			return m
		}
		h.mu.Lock()
		h.leave(m)
		h.mu.Unlock()
	}
	return nil
}

// register adds a watch, or returns nil. The caller holds mu.
func (h *Hub) register(s *set, name string, id fileID) *entry {
	n := &h.events
	if old := n.byName[name]; old != nil {
		h.forget(old)
	}
	err := h.start()
	if err == nil && h.add != nil {
		err = h.add(n.w, name)
	} else if err == nil {
		err = n.w.Add(name)
	}
	if err != nil {
		if !n.short && !errors.Is(err, fs.ErrNotExist) {
			s.Log.Warn("changes are looked for, because the system does not tell of them; see fs.inotify in sysctl", "path", name, "error", err)
			n.short = true
		}
		h.rest()
		return nil
	}
	n.short = false
	e := &entry{name: name, id: id}
	n.byID[id], n.byName[name] = e, e
	return e
}

// start makes an instance if there is none. The caller holds mu.
func (h *Hub) start() error {
	n := &h.events
	if n.w != nil {
		return nil
	}
	open := h.open
	if open == nil {
		open = fsnotify.NewWatcher
	}
	w, err := open()
	if err != nil {
		return err
	}
	n.w, n.stop = w, make(chan struct{})
	n.byID, n.byName = map[fileID]*entry{}, map[string]*entry{}
	stop := n.stop
	h.running.Go(func() { h.hear(w, stop) })
	h.running.Go(func() { h.hearErrors(w) })
	return nil
}

// rest ends the instance if nothing is watched with it. The caller holds mu.
func (h *Hub) rest() {
	if n := &h.events; n.w != nil && len(n.byID) == 0 {
		close(n.stop)
		n.w = nil
	}
}

// unlisten ends an entry that nobody watches. The caller holds mu.
func (h *Hub) unlisten(e *entry) {
	h.unregister(e)
	h.rest()
}

func (h *Hub) unregister(e *entry) {
	n := &h.events
	delete(n.byID, e.id)
	delete(n.byName, e.name)
	n.w.Remove(e.name) // it says if the system has done so by itself
}

// forget gives up an entry whose name is no longer its own, and those below it,
// which are no longer there either. The caller holds mu.
func (h *Hub) forget(e *entry) {
	n := &h.events
	below := e.name + string(filepath.Separator)
	for name, x := range n.byName {
		if x == e || strings.HasPrefix(name, below) {
			h.unregister(x)
			h.gone(x)
		}
	}
}

// hear takes events until stop is closed.
func (h *Hub) hear(w *fsnotify.Watcher, stop chan struct{}) {
	defer w.Close() // takes a while, and needs no lock
	for {
		select {
		case ev := <-w.Events:
			h.event(w, ev)
		case <-stop:
			return
		}
	}
}

// hearErrors takes errors until w is closed, and waits for nothing meanwhile: fsnotify
// holds its lock while it waits for an error to be taken, which hear needs to remove a
// watch, and others to add one.
func (h *Hub) hearErrors(w *fsnotify.Watcher) {
	for err := range w.Errors {
		if _, ok := err.(syscall.Errno); ok {
			continue // from the removal of a watch that the system has removed by itself
		}
		h.running.Go(func() { h.deaf(w) })
	}
}

// event notes a change. Of the attributes of a file, such as its times, nothing
// depends.
func (h *Hub) event(w *fsnotify.Watcher, ev fsnotify.Event) {
	if ev.Op == fsnotify.Chmod {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := &h.events
	if n.w != w {
		return
	}
	if e := n.byName[filepath.Dir(ev.Name)]; e != nil {
		base := filepath.Base(ev.Name)
		for _, m := range e.marks {
			effect := Wake
			if m.of != nil {
				effect = m.of(base)
			}
			h.mark(m.set, effect)
		}
	}
	e := n.byName[ev.Name]
	switch {
	case e == nil:
	case ev.Has(fsnotify.Remove) || ev.Has(fsnotify.Rename):
		h.forget(e)
		h.rest()
	case ev.Has(fsnotify.Write):
		h.markAll(e)
	}
}

// deaf is for when events were lost: nothing that was heard before is sure, so
// all begin anew.
func (h *Hub) deaf(w *fsnotify.Watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := &h.events
	if n.w != w {
		return
	}
	for _, e := range n.byID {
		h.gone(e)
	}
	clear(n.byID)
	clear(n.byName)
	h.rest()
}
