package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

// ledger is what a spool has promised: the entries that are there, by ID, with
// the Attempts that were saved last.
type ledger struct {
	there map[string]int
	gone  map[string]bool
	doubt map[string]bool // the call that was under way may have happened or not
	msgs  map[string]string
}

func newLedger() *ledger {
	return &ledger{map[string]int{}, map[string]bool{}, map[string]bool{}, map[string]string{}}
}

// Segments so small that every workload begins several.
const (
	small = 3 << 10
	large = 2 << 10 // contents from here on are in big/
)

// work drives a spool through every kind of change. It stops at the first error,
// unless goOn: then it tries a second time what a caller would.
type work struct {
	*ledger
	s    *FileSpool
	goOn bool
	errs []error
}

func (w *work) failed(err error) bool {
	if err != nil {
		w.errs = append(w.errs, err)
	}
	return err != nil
}

func (w *work) open(fsys *disktest.FS) bool {
	var err error
	w.s, err = OpenFS(fsys, "spool", small, large-1)
	if w.failed(err) && w.goOn {
		w.s, err = OpenFS(fsys, "spool", small, large-1)
	}
	return err == nil
}

func (w *work) put(size int, ids ...string) bool {
	var entries []*Entry
	msg := strings.Repeat(ids[0]+"\r\n", size/(len(ids[0])+2)+1)[:size]
	for _, id := range ids {
		w.doubt[id] = true
		w.msgs[id] = msg
		entries = append(entries, newEntry(id, id+".example"))
	}
	err := w.s.Put(context.Background(), strings.NewReader(msg), entries...)
	if w.failed(err) && !w.goOn {
		return false
	}
	for _, id := range ids {
		delete(w.doubt, id)
		if err == nil {
			w.there[id] = 0
		} else {
			w.gone[id] = true // a Put that fails leaves nothing
		}
	}
	return true
}

// save counts an attempt, or finishes the entry.
func (w *work) save(id string, done bool) bool {
	if _, ok := w.there[id]; !ok {
		return true // its Put failed
	}
	e, err := w.s.Lease(context.Background(), id)
	if w.failed(err) {
		if !w.goOn {
			return false
		}
		if e, err = w.s.Lease(context.Background(), id); w.failed(err) {
			return false
		}
	}
	e.Attempts++
	if done {
		e.Env.To = nil
	}
	w.doubt[id] = true
	if err = w.s.Save(context.Background(), e); w.failed(err) && w.goOn {
		err = w.s.Save(context.Background(), e)
	}
	if err != nil {
		return false
	}
	delete(w.doubt, id)
	if done {
		delete(w.there, id)
		w.gone[id] = true
	} else {
		w.there[id]++
	}
	return true
}

func (w *work) close() bool {
	err := w.s.Close()
	return !w.failed(err) || w.goOn
}

// life is several lives of a spool: of one process that dies by a crash or stops.
func (w *work) life(fsys *disktest.FS) *work {
	_ = w.open(fsys) &&
		w.put(100, "old") && // stays in the oldest segment
		w.put(large, "big1", "big2") &&
		w.save("old", false) &&
		w.save("big1", true) &&
		w.churn("a", 4) &&
		w.save("big2", true) &&
		w.close() &&
		w.open(fsys) &&
		w.save("old", false) &&
		w.put(large, "big3") &&
		w.churn("b", 5) &&
		w.save("old", false) &&
		w.close()
	return w
}

// churn puts and finishes messages, so that segments fill with what is finished.
func (w *work) churn(name string, n int) bool {
	for i := range n {
		id := fmt.Sprint(name, i)
		if !w.put(1000, id, id+"x") || !w.save(id, true) || !w.save(id+"x", i != n-1) {
			return false
		}
	}
	return true
}

// verify opens what the end of the workload left, twice: recovery is repeatable.
func verify(t *testing.T, after *disktest.FS, want *ledger, exact bool) {
	t.Helper()
	for range 2 {
		s, err := OpenFS(after, "spool", small, large-1)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		if b := s.Recovery().Broken; b != nil {
			t.Errorf("Open found broken ranges %v", b)
		}
		got := all(t, s)
		for id, attempts := range want.there {
			e := got[id]
			switch {
			case want.doubt[id] && (e == nil || e.Attempts == attempts+1):
			case e == nil:
				t.Errorf("%s is lost", id)
			case e.Attempts != attempts:
				t.Errorf("%s has %d attempts, %d were saved", id, e.Attempts, attempts)
			}
		}
		for id, e := range got {
			if want.gone[id] {
				t.Errorf("%s is back", id)
			} else if content(t, s, e) != want.msgs[id] {
				t.Errorf("%s has other content", id)
			}
		}
		for id := range want.doubt { // all or nothing
			other, ok := strings.CutSuffix(id, "x")
			if ok && want.doubt[other] && (got[id] == nil) != (got[other] == nil) {
				t.Errorf("of %s and %s one was put", other, id)
			}
		}
		put(t, s, "after", newEntry("after", "example.com"))
		e, err := s.Lease(t.Context(), "after")
		if err != nil {
			t.Fatal(err)
		}
		finish(t, s, e)
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	torn := strings.Contains(bad(after), ".torn: ") // and perhaps its content in big/
	for name := range after.Files() {
		aside, isBad := strings.CutPrefix(name, "/spool/bad/")
		broken := strings.Contains(aside, ".log.") && !strings.HasSuffix(aside, ".torn")
		if isBad && (!torn || broken) || strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is left", name)
		}
	}
}

func TestCrash(t *testing.T) {
	disktest.Crash(t, nil, func(fsys *disktest.FS) *work {
		return (&work{ledger: newLedger()}).life(fsys)
	}, func(t *testing.T, after *disktest.FS, w *work) {
		if t.Name() == "done" && len(w.errs) > 0 {
			t.Fatal(w.errs)
		}
		verify(t, after, w.ledger, false)
	})
}

func TestFail(t *testing.T) {
	for _, errno := range []error{syscall.ENOSPC, syscall.EIO} {
		t.Run(errno.Error(), func(t *testing.T) {
			disktest.Fail(t, errno, nil, func(fsys *disktest.FS) *work {
				return (&work{ledger: newLedger(), goOn: true}).life(fsys)
			}, func(t *testing.T, after *disktest.FS, w *work) {
				for _, err := range w.errs {
					if !errors.Is(err, errno) {
						t.Errorf("error %v, want %v", err, errno)
					}
				}
				if len(w.doubt) > 0 {
					t.Errorf("after one failure the workload did not go on: %v", w.errs)
				}
				verify(t, after, w.ledger, true)
			})
		})
	}
}
