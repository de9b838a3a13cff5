package watch_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/internal/watch"
)

// looking is a Hub in a bubble with a watcher of /box on a disk of its own, and a
// count of wakes.
type looking struct {
	*testing.T
	hub   *watch.Hub
	fsys  *disktest.FS
	end   context.CancelFunc
	wakes atomic.Int64
}

func onLooks(t *testing.T, test func(l *looking), paths ...watch.Path) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		l := &looking{T: t, hub: new(watch.Hub), fsys: disktest.New(), end: end}
		l.mkdir("/box")
		l.mkdir("/box/new")
		time.Sleep(time.Hour) // all that is old
		must(t, l.hub.Watch(ctx, watch.Watcher{
			FS:    l.fsys,
			Poll:  2 * time.Second,
			Paths: fixed(paths...),
			Wake:  func() { l.wakes.Add(1) },
		}))
		l.within(10 * time.Second)
		test(l)
		end()
		l.hub.Wait()
	})
}

// within returns how often the watcher is woken in a time.
func (l *looking) within(d time.Duration) int {
	time.Sleep(d)
	synctest.Wait()
	return int(l.wakes.Swap(0))
}

func (l *looking) mkdir(name string) { must(l, l.fsys.Mkdir(name, 0o700)) }

func (l *looking) write(name, text string) {
	f, err := l.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(l, err)
	_, err = f.Write([]byte(text))
	must(l, errors.Join(err, f.Close()))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fixed(paths ...watch.Path) func(func(watch.Path)) error {
	return func(add func(watch.Path)) error {
		for _, p := range paths {
			add(p)
		}
		return nil
	}
}

func TestLooks(t *testing.T) {
	box := watch.Path{Name: "/box/new"}
	list := watch.Path{Name: "/box", Effect: only("list"), Files: []string{"list"}}
	for _, c := range []struct {
		name  string
		path  watch.Path
		do    func(l *looking)
		wakes bool
	}{
		{"nothing", box, func(*looking) {}, false},
		{"a file in the folder", box, func(l *looking) { l.write("/box/new/a", "a") }, true},
		{"elsewhere", box, func(l *looking) { l.write("/box/b", "b") }, false},
		{"the folder goes", box, func(l *looking) { must(l, l.fsys.Rename("/box/new", "/box/old")) }, true},
		{"another folder comes in its place", box, func(l *looking) {
			must(l, l.fsys.Remove("/box/new"))
			l.mkdir("/box/new")
		}, true},
		{"a path that is not there yet comes", watch.Path{Name: "/box/cur"}, func(l *looking) { l.mkdir("/box/cur") }, true},
		{"the content of a file that counts", list, func(l *looking) { l.write("/box/list", "a") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			onLooks(t, func(l *looking) {
				c.do(l)
				if n := l.within(3 * time.Second); (n > 0) != c.wakes {
					t.Errorf("woken %d times, want it to be %v", n, c.wakes)
				}
				l.within(time.Minute)
				if n := l.within(time.Hour); n > 0 {
					t.Errorf("woken %d times more, though nothing changes", n)
				}
			}, c.path)
		})
	}
}

func only(names ...string) func(string) watch.Effect {
	return func(name string) watch.Effect {
		if slices.Contains(names, name) {
			return watch.Wake
		}
		return watch.Nothing
	}
}

// A change right after a look leaves the modification time as the look saw it.
func TestLooksSameTick(t *testing.T) {
	onLooks(t, func(l *looking) {
		l.write("/box/new/a", "a")
		fi, err := l.fsys.Stat("/box/new")
		must(t, err)
		if l.within(3*time.Second) == 0 {
			t.Fatal("not woken")
		}
		l.write("/box/new/b", "b")
		must(t, l.fsys.Chtimes("/box/new", fi.ModTime()))
		if l.within(3*time.Second) == 0 {
			t.Error("not woken by what happened in the tick of the change before")
		}
	}, watch.Path{Name: "/box/new"})
}

func TestLooksEnd(t *testing.T) {
	onLooks(t, func(l *looking) {
		l.write("/box/new/a", "a")
		l.end()
		if n := l.within(time.Minute); n > 0 {
			t.Errorf("woken %d times after the end", n)
		}
		if _, n := l.hub.Watched(); n != 0 {
			t.Errorf("%d paths are still looked at", n)
		}
	}, watch.Path{Name: "/box/new"})
}

// One's own changes are told at once, and again when there may be more to see.
func TestChanged(t *testing.T) {
	onLooks(t, func(l *looking) {
		time.Sleep(time.Second)
		for range 10 {
			l.hub.Changed(l.fsys, "/box", "new")
		}
		if n := l.within(20 * time.Millisecond); n != 1 {
			t.Errorf("woken %d times at once, want 1", n)
		}
		l.hub.Again(l.fsys, 50*time.Millisecond, "/box", "new")
		l.hub.Again(l.fsys, 100*time.Millisecond, "/box", "new")
		if n := l.within(90 * time.Millisecond); n != 0 {
			t.Errorf("woken %d times before it is time", n)
		}
		if n := l.within(20 * time.Millisecond); n != 1 {
			t.Errorf("woken %d times when it is time, want 1", n)
		}
		l.hub.Changed(l.fsys, "/box/other")
		if n := l.within(20 * time.Millisecond); n != 0 {
			t.Errorf("woken by another's change")
		}
	}, watch.Path{Name: "/box/new"})
}

// What there is to watch may change, and may not be told for a while.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		fsys, hub := disktest.New(), new(watch.Hub)
		l := &looking{T: t, hub: hub, fsys: fsys, end: end}
		l.mkdir("/tree")
		var failing atomic.Bool
		must(t, hub.Watch(ctx, watch.Watcher{
			FS: fsys,
			Paths: func(add func(watch.Path)) error {
				add(watch.Path{Name: "/tree", Effect: func(string) watch.Effect { return watch.Renew }})
				names, err := fsys.ReadDir("/tree")
				for _, name := range names {
					add(watch.Path{Name: "/tree/" + name})
				}
				if failing.Load() {
					return fs.ErrPermission
				}
				return err
			},
			Wake: func() { l.wakes.Add(1) },
		}))
		l.within(time.Minute)
		failing.Store(true)
		l.mkdir("/tree/a")
		if l.within(time.Minute) < 2 {
			t.Error("not woken while the paths cannot be told")
		}
		failing.Store(false)
		l.within(time.Minute)
		l.write("/tree/a/file", "")
		if l.within(time.Minute) == 0 {
			t.Error("not woken by what happens in a folder that came later")
		}
		if n := l.within(time.Hour); n > 0 {
			t.Errorf("woken %d times for nothing", n)
		}
		end()
		hub.Wait()
		if _, n := hub.Watched(); n != 0 {
			t.Errorf("%d paths are still looked at", n)
		}
	})
}

func TestWatchErrors(t *testing.T) {
	hub := new(watch.Hub)
	ended, end := context.WithCancel(t.Context())
	end()
	w := watch.Watcher{Paths: fixed(watch.Path{Name: t.TempDir()}), Wake: func() { t.Error("woken") }}
	if err := hub.Watch(ended, w); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	paths := w.Paths
	w.Paths = func(add func(watch.Path)) error { paths(add); return fs.ErrPermission }
	if err := hub.Watch(t.Context(), w); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("paths that cannot be told: %v", err)
	}
	if events, looks := hub.Watched(); events+looks != 0 {
		t.Errorf("%d paths are watched for nobody", events+looks)
	}
	hub.Wait()
}
