package maildir_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mailtest"
)

// The kit again, with nothing that tells of changes.
func TestBackendLooking(t *testing.T) {
	if testing.Short() {
		t.Skip("the kit runs once in TestBackend")
	}
	mailtest.TestBackend(t, func(t *testing.T) mailparts.Backend {
		return &maildir.Backend{Root: t.TempDir(), Poll: 50 * time.Millisecond}
	})
}

// watching is what a reader knows that reads after every wake.
type watching struct {
	*testing.T
	root  string
	seen  chan []string // what was read last, if sees has not taken it
	state []string      // that sees has taken
	woken chan struct{}
}

// watchReading reads with read at first and after every wake.
func watchReading(t *testing.T, root string, v any, read func(ctx context.Context) ([]string, error)) *watching {
	t.Helper()
	w := &watching{T: t, root: root, seen: make(chan []string, 1), woken: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	w.woken <- struct{}{} // for the first read
	must(t, v.(mailparts.Watcher).Watch(ctx, func() {
		select {
		case w.woken <- struct{}{}:
		default:
		}
	}))
	go func() {
		defer close(done)
		for {
			select {
			case <-w.woken:
			case <-ctx.Done():
				return
			}
			state, err := read(ctx)
			if err != nil && ctx.Err() == nil {
				t.Logf("read after wake: %v", err)
			}
			select {
			case <-w.seen:
			default:
			}
			w.seen <- state
		}
	}()
	w.state = <-w.seen
	return w
}

// sees waits until the reader has read what is expected.
func (w *watching) sees(what string, want ...string) bool {
	w.Helper()
	return w.agrees(what, func(context.Context) ([]string, error) { return want, nil })
}

// agrees waits until the reader has read what another one reads, who may be wrong
// while they are in each other's way.
func (w *watching) agrees(what string, read func(ctx context.Context) ([]string, error)) bool {
	w.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range 10 {
		want, err := read(w.Context())
		for ticked := false; !ticked; {
			if err == nil && slices.Equal(w.state, want) {
				return true
			}
			select {
			case w.state = <-w.seen:
			case <-tick.C:
				ticked = true
			}
		}
		w.Logf("%s: not yet what another one reads: %v", what, err)
		w.Logf(" - %q", want)
		w.Logf(" + %q", w.state)
	}
	w.Errorf("%s: who reads after every wake has %q", what, w.state)
	return false
}

// listing reads the flags of a mailbox's messages, sorted.
func listing(mb mailparts.Mailbox) func(ctx context.Context) ([]string, error) {
	return func(ctx context.Context) (list []string, err error) {
		for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
			if err != nil {
				return nil, err
			}
			list = append(list, fmt.Sprint(m.Size, slices.Sorted(slices.Values(m.Flags))))
		}
		slices.Sort(list)
		return list, nil
	}
}

// Other programs deliver, move and remove with plain system calls, while we and
// another process of our kind change the mailbox too: who reads after every wake
// ends up with all of it.
func TestWatchOthers(t *testing.T) {
	for name, poll := range map[string]time.Duration{"told": 0, "looking": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			mb := openMailbox(t, &maildir.Backend{Root: root, Poll: poll}, "INBOX")
			others := openMailbox(t, &maildir.Backend{Root: root}, "INBOX")
			w := watchReading(t, root, mb, listing(mb))
			p := &program{T: t, dir: filepath.Join(root, "user")}
			for round := range 60 {
				var both sync.WaitGroup
				both.Go(func() {
					for range 1 + rand.IntN(6) {
						p.act()
					}
				})
				both.Go(func() {
					for range rand.IntN(3) {
						changeSomething(t, []mailparts.Mailbox{mb, others}[rand.IntN(2)])
					}
				})
				both.Wait()
				if !w.agrees(fmt.Sprint("round ", round), p.listing) {
					return
				}
			}
		})
	}
}

func changeSomething(t *testing.T, mb mailparts.Mailbox) {
	t.Helper()
	_, err := mailparts.Append(t.Context(), mb, incoming("ours\r\n"))
	if err == nil && rand.IntN(2) == 0 {
		_, _, err = mb.SetFlags(t.Context(), mailparts.AllUIDs(), mailparts.FlagChange{
			Op: mailparts.FlagOp(rand.IntN(2)), Flags: []mailparts.Flag{mailparts.FlagDraft}})
	}
	if err != nil {
		t.Error(err)
	}
}

// program is another that uses a mailbox.
type program struct {
	*testing.T
	dir string
	n   int
}

// act delivers, flags or removes a message, unless someone else was faster.
func (p *program) act() {
	files, err := p.files()
	if err != nil {
		p.Error(err)
		return
	}
	switch n := rand.IntN(4); {
	case n < 2 || len(files) == 0:
		p.n++
		name := fmt.Sprintf("%d.P%d.other", 1_700_000_000+p.n, p.n)
		err = os.WriteFile(filepath.Join(p.dir, "tmp", name), make([]byte, p.n), 0o600)
		if err == nil {
			err = os.Rename(filepath.Join(p.dir, "tmp", name), filepath.Join(p.dir, "new", name))
		}
	case n == 2:
		file := files[rand.IntN(len(files))]
		flags := [...]string{"", "S", "FS", "F"}[rand.IntN(4)]
		base, _, _ := strings.Cut(filepath.Base(file), ":")
		err = os.Rename(file, filepath.Join(p.dir, "cur", base+":2,"+flags))
	default:
		err = os.Remove(files[rand.IntN(len(files))])
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.Error(err)
	}
}

// listing is that of the files.
func (p *program) listing(context.Context) (list []string, err error) {
	files, err := p.files()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		_, info, _ := strings.Cut(filepath.Base(file), ":2,")
		var flags []mailparts.Flag
		for letter, flag := range map[string]mailparts.Flag{"D": mailparts.FlagDraft, "F": mailparts.FlagFlagged, "S": mailparts.FlagSeen} {
			if strings.Contains(info, letter) {
				flags = append(flags, flag)
			}
		}
		slices.Sort(flags)
		list = append(list, fmt.Sprint(len(text)+bytes.Count(text, []byte("\n")), flags))
	}
	slices.Sort(list)
	return list, err
}

func (p *program) files() ([]string, error) {
	inNew, err := filepath.Glob(filepath.Join(p.dir, "new", "*"))
	if err != nil {
		return nil, err
	}
	inCur, err := filepath.Glob(filepath.Join(p.dir, "cur", "*"))
	return append(inNew, inCur...), err
}

// meddler is a disk on which another program acts in the moment before a folder
// gets its stamp.
type meddler struct {
	disk.FS
	act func()
}

func (m *meddler) Chtimes(name string, mtime time.Time) error {
	if filepath.Base(name) == "new" {
		m.act()
	}
	return m.FS.Chtimes(name, mtime)
}

// What a change of our own hides for a moment is told when it can be seen.
func TestWatchHidden(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir(), Poll: time.Hour}
	acts := 0
	b.SetFS(&meddler{disk.OS{}, func() {
		acts++
		name := fmt.Sprintf("%d.other", 1_700_000_000+acts)
		must(t, os.WriteFile(filepath.Join(b.Root, "user", "new", name), nil, 0o600))
	}})
	mb := openMailbox(t, b, "INBOX")
	w := watchReading(t, b.Root, mb, listing(mb))
	w.sees("nothing")
	deliver(t, mb, "ours\r\n")
	if w.sees("ours and another's", "0 []", "6 []"); acts != 1 {
		t.Errorf("the other program acted %d times, want 1", acts)
	}
}
