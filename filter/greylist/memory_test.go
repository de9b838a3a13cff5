package greylist_test

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/filter/greylist"
)

// put makes a Record of key, and get reads one.
func put(t *testing.T, m greylist.Store, key string, passes int, lasts time.Duration) {
	t.Helper()
	err := m.Update(t.Context(), key, func(greylist.Record) greylist.Record {
		return greylist.Record{First: time.Now(), Passes: passes, Ends: time.Now().Add(lasts)}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, m greylist.Store, key string) (got greylist.Record) {
	t.Helper()
	err := m.Update(t.Context(), key, func(r greylist.Record) greylist.Record {
		got = r
		return r
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(greylist.Memory)
		if got := get(t, m, "a"); got != (greylist.Record{}) {
			t.Errorf("new: %+v", got)
		}
		put(t, m, "a", 3, time.Hour)
		put(t, m, "b", 0, 2*time.Hour)
		if got := get(t, m, "a"); got.Passes != 3 || !got.Ends.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("a: %+v", got)
		}
		time.Sleep(time.Hour)
		if got := get(t, m, "a"); got != (greylist.Record{}) {
			t.Errorf("a after its end: %+v", got)
		}
		if got := get(t, m, "b"); got == (greylist.Record{}) {
			t.Error("b has ended with a")
		}
		put(t, m, "b", 0, 0)
		if got := get(t, m, "b"); got != (greylist.Record{}) {
			t.Errorf("b, made to end: %+v", got)
		}
	})
}

// Of too many, those go first that have not passed, the oldest of them first.
func TestMemoryIsFull(t *testing.T) {
	m := &greylist.Memory{Max: 4}
	put(t, m, "passed", 1, time.Hour)
	for i := range 5 {
		put(t, m, fmt.Sprint(i), 0, time.Hour)
	}
	for key, kept := range map[string]bool{"passed": true, "0": false, "1": false, "2": true, "3": true, "4": true} {
		if got := get(t, m, key) != (greylist.Record{}); got != kept {
			t.Errorf("%s: kept is %v, want %v", key, got, kept)
		}
	}
	for i := range 5 {
		put(t, m, fmt.Sprint("passed ", i), 1, time.Hour)
	}
	for key, kept := range map[string]bool{"passed": false, "4": false, "passed 0": false, "passed 1": true, "passed 4": true} {
		if got := get(t, m, key) != (greylist.Record{}); got != kept {
			t.Errorf("%s: kept is %v, want %v", key, got, kept)
		}
	}
}

// What has ended goes as more comes, without anybody asking for it.
func TestMemorySweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &greylist.Memory{Max: 3}
		put(t, m, "old", 1, time.Minute)
		put(t, m, "kept", 0, time.Hour)
		put(t, m, "kept too", 0, time.Hour)
		time.Sleep(time.Minute)
		put(t, m, "new", 0, time.Hour)
		if get(t, m, "kept") == (greylist.Record{}) {
			t.Error("one that has ended is kept instead of one that has not")
		}
	})
}

// A million strangers take the room of Max.
func TestMemoryIsBounded(t *testing.T) {
	const most = 10_000
	m := &greylist.Memory{Max: most}
	before := heap()
	ctx, r := t.Context(), greylist.Record{Ends: time.Now().Add(time.Hour)}
	fresh := func(greylist.Record) greylist.Record { return r }
	for i := range 1_000_000 {
		m.Update(ctx, "192.0.2.0/24 0123456789012345"+strconv.Itoa(i), fresh)
	}
	if grown := heap() - before; grown > 300*most {
		t.Errorf("the heap has grown by %d octets, %d for each", grown, grown/most)
	}
	runtime.KeepAlive(m)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestMemoryAtOnce(t *testing.T) {
	m := new(greylist.Memory)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				m.Update(t.Context(), "a", func(r greylist.Record) greylist.Record {
					r.Passes++
					r.Ends = time.Now().Add(time.Hour)
					return r
				})
			}
		})
	}
	wg.Wait()
	if got := get(t, m, "a"); got.Passes != 800 {
		t.Errorf("%d passes, want 800", got.Passes)
	}
}
