//go:build linux

package watch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/watch"
)

// hearing is a Hub with a watcher of a real folder.
type hearing struct {
	testing.TB
	hub   *watch.Hub
	dir   atomic.Pointer[string]
	end   context.CancelFunc
	woken chan struct{}
	asked atomic.Int64 // how often for paths
}

// onEvents watches paths in a folder of its own, "" for the folder itself.
func onEvents(t testing.TB, hub *watch.Hub, paths ...watch.Path) *hearing {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	h := &hearing{TB: t, hub: hub, end: end, woken: make(chan struct{}, 1)}
	dir := t.TempDir()
	h.dir.Store(&dir)
	for _, sub := range []string{"new", "cur"} {
		must(t, os.Mkdir(h.path(sub), 0o700))
	}
	must(t, hub.Watch(ctx, watch.Watcher{
		Paths: func(add func(watch.Path)) error {
			h.asked.Add(1)
			for _, p := range paths {
				p.Name = h.path(p.Name)
				add(p)
			}
			return nil
		},
		Wake: func() {
			select {
			case h.woken <- struct{}{}:
			default:
			}
		},
	}))
	t.Cleanup(func() {
		end()
		hub.Wait()
	})
	return h
}

func (h *hearing) path(name string) string { return filepath.Join(*h.dir.Load(), name) }

// after does something and waits for the wake.
func (h *hearing) after(what string, do func() error) {
	h.Helper()
	select {
	case <-h.woken:
	default:
	}
	must(h, do())
	select {
	case <-h.woken:
	case <-time.After(10 * time.Second):
		h.Errorf("%s: not woken", what)
	}
}

func (h *hearing) touch(name string) func() error {
	return func() error { return os.WriteFile(h.path(name), []byte(name), 0o600) }
}

func TestEvents(t *testing.T) {
	t.Parallel()
	h := onEvents(t, new(watch.Hub), watch.Path{Name: "new"}, watch.Path{Name: "cur"})
	if events, looks := h.hub.Watched(); events != 2 || looks != 0 {
		t.Skipf("inotify does not work here: %d paths by events, %d by looks", events, looks)
	}
	h.after("create", h.touch("new/a"))
	h.after("write", h.touch("new/a"))
	h.after("rename", func() error { return os.Rename(h.path("new/a"), h.path("cur/a:2,S")) })
	h.after("remove", func() error { return os.Remove(h.path("cur/a:2,S")) })
	h.after("link", func() error {
		return errors.Join(h.touch("b")(), os.Link(h.path("b"), h.path("cur/b")))
	})
	h.after("the folder goes", func() error { return os.Rename(h.path("new"), h.path("old")) })
	h.after("another comes in its place", func() error { return os.Mkdir(h.path("new"), 0o700) })
	h.after("create there", h.touch("new/c"))
	if events, looks := h.hub.Watched(); events != 2 || looks != 0 {
		t.Errorf("%d paths by events, %d by looks", events, looks)
	}
}

func TestEffect(t *testing.T) {
	h := onEvents(t, new(watch.Hub), watch.Path{Name: "", Effect: func(name string) watch.Effect {
		switch {
		case strings.HasPrefix(name, "."):
			return watch.Renew
		case strings.HasSuffix(name, ".lock"):
			return watch.Nothing
		}
		return watch.Wake
	}})
	h.after("a name that counts", h.touch("list"))
	if n := h.asked.Load(); n != 1 {
		t.Errorf("asked for paths %d times, want 1", n)
	}
	h.after("a name that changes the paths", h.touch(".folder"))
	if n := h.asked.Load(); n < 2 {
		t.Errorf("asked for paths %d times, want more", n)
	}
	must(t, h.touch("list.lock")())
	h.after("a name that counts, after one that does not", h.touch("list"))
}

// A folder is followed under another name, while a new one has its old name.
func TestFollow(t *testing.T) {
	hub := new(watch.Hub)
	h := onEvents(t, hub, watch.Path{Name: ""}, watch.Path{Name: "new"})
	old := h.path("")
	moved := old + "-moved"
	h.after("rename", func() error {
		h.dir.Store(&moved)
		return os.Rename(old, moved)
	})
	for h.asked.Load() < 2 {
		<-h.woken
	}
	must(t, os.MkdirAll(filepath.Join(old, "new"), 0o700))
	other := make(chan struct{}, 100)
	must(t, hub.Watch(t.Context(), watch.Watcher{
		Paths: fixed(watch.Path{Name: old}, watch.Path{Name: filepath.Join(old, "new")}),
		Wake:  func() { other <- struct{}{} },
	}))
	for i := range 3 {
		h.after("create under the new name", h.touch("new/"+string(rune('a'+i))))
		must(t, os.WriteFile(filepath.Join(old, "new", string(rune('a'+i))), nil, 0o600))
		select {
		case <-other:
		case <-time.After(10 * time.Second):
			t.Error("not woken for the folder with the old name")
		}
	}
	if events, looks := hub.Watched(); events != 4 || looks != 0 {
		t.Errorf("%d paths by events, %d by looks", events, looks)
	}
}

// A rename above what is watched is not told; when the old name comes to be watched
// again, both folders are.
func TestRenamedAbove(t *testing.T) {
	hub := new(watch.Hub)
	h := onEvents(t, hub, watch.Path{Name: "new"})
	old := h.path("")
	moved := old + "-moved"
	must(t, os.Rename(old, moved))
	h.dir.Store(&moved)
	must(t, os.MkdirAll(filepath.Join(old, "new"), 0o700))
	other := make(chan struct{}, 100)
	h.after("the old name is watched", func() error {
		return hub.Watch(t.Context(), watch.Watcher{
			Paths: fixed(watch.Path{Name: filepath.Join(old, "new")}),
			Wake:  func() { other <- struct{}{} },
		})
	})
	h.after("create", h.touch("new/a"))
	must(t, os.WriteFile(filepath.Join(old, "new", "b"), nil, 0o600))
	select {
	case <-other:
	case <-time.After(10 * time.Second):
		t.Error("not woken for the folder with the old name")
	}
}

// Two names of one folder are one watch.
func TestTwoNames(t *testing.T) {
	t.Parallel()
	h := onEvents(t, new(watch.Hub), watch.Path{Name: "new"}, watch.Path{Name: "link"})
	h.after("a name that comes", func() error { return os.Symlink("new", h.path("link")) })
	for range 2 {
		h.after("create", h.touch("new/a"))
		if events, _ := h.hub.Watched(); events != 1 {
			t.Errorf("%d watches, want 1", events)
		}
		must(t, os.Remove(h.path("link")))
		must(t, os.Symlink("new", h.path("link")))
	}
}

func TestOverflow(t *testing.T) {
	h := onEvents(t, new(watch.Hub), watch.Path{Name: "new"})
	h.after("lost events", func() error { h.hub.Lose(); return nil })
	h.after("create", h.touch("new/a"))
}

// fsnotify holds its lock until an error is taken: of the removal of a watch that the
// system has removed by itself, it may be. Who removes or adds another waits for it.
func TestErrorsAreTaken(t *testing.T) {
	hub := new(watch.Hub)
	onEvents(t, hub, watch.Path{})
	if !hub.TakesErrors(fsnotify.ErrEventOverflow, syscall.EINVAL, fsnotify.ErrEventOverflow) {
		t.Error("an error has to wait for the lock")
	}
}

// Without instances or watches there are looks, at once or when a watch is asked
// for again.
func TestShort(t *testing.T) {
	for name, fail := range map[string]func(*watch.Hub){
		"no instance": func(h *watch.Hub) { h.FailOpen(syscall.EMFILE) },
		"no watch":    func(h *watch.Hub) { h.FailAdd(syscall.ENOSPC) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := new(watch.Hub)
			fail(hub)
			h := onEvents(t, hub, watch.Path{Name: "new"})
			if events, looks := hub.Watched(); events != 0 || looks != 1 {
				t.Errorf("%d paths by events, %d by looks", events, looks)
			}
			h.after("create", h.touch("new/a"))
			h.after("change", func() error { hub.Changed(disk.OS{}, h.path("new")); return nil })
		})
	}
}

func TestAgain(t *testing.T) {
	h := onEvents(t, new(watch.Hub), watch.Path{Name: "new"})
	h.after("a while", func() error {
		h.hub.Again(disk.OS{}, time.Millisecond, h.path("new"))
		return nil
	})
}

// Nothing is left of a watcher whose context is done.
func TestNoLeak(t *testing.T) {
	hub := new(watch.Hub)
	for range 3 {
		ctx, end := context.WithCancel(t.Context())
		dir := t.TempDir()
		var ended []*atomic.Bool
		for i := range 100 {
			over := new(atomic.Bool)
			ended = append(ended, over)
			must(t, hub.Watch(ctx, watch.Watcher{
				Poll:  time.Duration(i%2) * time.Hour,
				Paths: fixed(watch.Path{Name: dir}, watch.Path{Name: filepath.Join(dir, "none")}),
				Wake: func() {
					if over.Load() {
						t.Error("woken after the end")
					}
				},
			}))
		}
		end()
		for _, over := range ended {
			over.Store(true)
		}
		hub.Wait()
		if events, looks := hub.Watched(); events+looks != 0 {
			t.Errorf("%d paths are still watched by events, %d by looks", events, looks)
		}
	}
	if stacks := goroutines(); strings.Contains(stacks, "internal/watch.(") || strings.Contains(stacks, "fsnotify.(") {
		t.Errorf("goroutines are left:\n%s", stacks)
	}
}

func goroutines() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// The memory of a watcher, of which a server has one per idle session.
func BenchmarkWatchers(b *testing.B) {
	const watchers = 10_000
	dir := b.TempDir()
	for i := range 1000 {
		must(b, os.MkdirAll(filepath.Join(dir, string(rune('a'+i%26)), string(rune('a'+i/26))), 0o700))
	}
	for name, poll := range map[string]time.Duration{"events": 0, "looks": time.Hour} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				hub := new(watch.Hub)
				ctx, end := context.WithCancel(b.Context())
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				for i := range watchers {
					at := filepath.Join(dir, string(rune('a'+i%26)), string(rune('a'+i/26%38)))
					must(b, hub.Watch(ctx, watch.Watcher{Poll: poll, Paths: fixed(watch.Path{Name: at}), Wake: func() {}}))
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/watchers, "heap-B/watcher")
				end()
				hub.Wait()
			}
		})
	}
}
