package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

// fill makes the disk full while the result is true: there is room only in what
// is allocated, and for a new segment when one was removed.
func fill(fsys *disktest.FS, errno error) (full *atomic.Bool) {
	full = new(atomic.Bool)
	has := map[string]bool{} // segments with room
	removed := 0
	fsys.Before = func(op disktest.Op) error {
		switch {
		case op.Name == "remove" && has[op.Path]:
			delete(has, op.Path)
			removed++
		case op.Name == "allocate" && (removed > 0 || !full.Load()):
			has[op.Path] = true
			removed = max(0, removed-1)
		case full.Load() && (op.Name == "allocate" || op.Name == "write" || op.Name == "mkdir"):
			return errno
		}
		return nil
	}
	return full
}

func TestFullDisk(t *testing.T) {
	for _, errno := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		fsys := disktest.New()
		full := fill(fsys, errno)
		const segment = 64 << 10
		s, err := OpenFS(fsys, "spool", segment, large-1)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		try := func(size int) error {
			err := s.Put(t.Context(), strings.NewReader(strings.Repeat("x", size)), newEntry(fmt.Sprint("m", n), "example.com"))
			if err == nil {
				n++
			}
			return err
		}
		for range 100 {
			if err := try(1000); err != nil {
				t.Fatal(err)
			}
		}
		full.Store(true)
		for err = try(1000); err == nil; err = try(1000) { // what is allocated is used
			if n > 1000 {
				t.Fatal("Put goes on for ever")
			}
		}
		if !errors.Is(err, ErrFull) || !errors.Is(err, errno) {
			t.Fatalf("Put on a full disk: %v, want ErrFull", err)
		}
		if err := try(large); !errors.Is(err, ErrFull) {
			t.Errorf("Put of a large message on a full disk: %v, want ErrFull", err)
		}
		// Saves go on, and what is finished makes room without any from outside.
		for i := range n {
			e, err := s.Lease(t.Context(), fmt.Sprint("m", i))
			if err != nil {
				t.Fatal(err)
			}
			if i < n-5 {
				e.Env.To = nil
			}
			if err := s.Save(t.Context(), e); err != nil {
				t.Fatalf("after %d of %d Saves: %v", i, n, err)
			}
		}
		// Until that room is used up too. Then nothing is lost.
		var e *Entry
		for err = nil; err == nil; err = s.Save(t.Context(), e) {
			if e, err = s.Lease(t.Context(), fmt.Sprint("m", n-1)); err != nil {
				t.Fatal(err)
			}
			if e.Attempts++; e.Attempts > 10000 {
				t.Fatal("Save goes on for ever")
			}
		}
		if !errors.Is(err, ErrFull) {
			t.Errorf("Save on a full disk: %v, want ErrFull", err)
		}
		full.Store(false)
		if err := try(1000); err != nil {
			t.Errorf("Put when there is room again: %v", err)
		}
		save(t, s, e) // its lease goes on after an error
		want := len(all(t, s))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = OpenFS(fsys, "spool", segment, large-1); err != nil {
			t.Fatal(err)
		}
		if got := len(all(t, s)); got != want || s.Recovery().Broken != nil {
			t.Errorf("%d entries after a restart, want %d; %+v", got, want, s.Recovery())
		}
		s.Close()
	}
}

// A spool in which all is finished has room again by itself, even if it was
// killed and the disk stays full.
func TestFullDiskRestart(t *testing.T) {
	fsys := disktest.New()
	s, err := OpenFS(fsys, "spool", 8<<10, large-1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		put(t, s, strings.Repeat("x", 1000), newEntry(fmt.Sprint("m", i), "example.com"))
	}
	for _, e := range next(t, s, now, 20) {
		finish(t, s, e)
	}
	fsys = fsys.Reboot(disktest.Kept)
	fill(fsys, syscall.ENOSPC).Store(true)
	if s, err = OpenFS(fsys, "spool", 8<<10, large-1); err != nil {
		t.Fatalf("Open on a full disk: %v", err)
	}
	defer s.Close()
	for name := range fsys.Files() {
		if strings.HasSuffix(name, ".log") {
			t.Errorf("%s is left, and all in it is finished", name)
		}
	}
}

// An index that finds no room is written later.
func TestFullDiskOpen(t *testing.T) {
	fsys, _ := some(t)
	full := fill(fsys, syscall.ENOSPC)
	full.Store(true)
	s, got := reopen(t, fsys)
	if got != "a b c" || fsys.Files()["/spool/log/1.idx"] != "" {
		t.Fatalf("Open on a full disk: %s", got)
	}
	full.Store(false)
	put(t, s, "message d", newEntry("d", "example.com"))
	if fsys.Files()["/spool/log/1.idx"] == "" {
		t.Error("the segment is not sealed")
	}
	if s, got = reopen(t, fsys.Reboot(disktest.Kept)); got != "a b c d" || s.Recovery().Broken != nil {
		t.Errorf("left are %s, Open found %+v", got, s.Recovery())
	}
}

// A segment whose fdatasync failed is not written to again.
func TestFailedSync(t *testing.T) {
	fsys := disktest.New()
	s, err := OpenFS(fsys, "spool", 1<<20, MaxInline)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put(t, s, "before", newEntry("before", "example.com"))
	e := next(t, s, now, 1)[0]
	var failing atomic.Bool
	var writes []string
	fsys.Before = func(op disktest.Op) error {
		switch {
		case op.Name == "datasync" && failing.Load():
			return syscall.EIO
		case op.Name == "writeat":
			writes = append(writes, op.Path)
		}
		return nil
	}
	failing.Store(true)
	for _, size := range []int{1, MaxInline + 1} {
		if err := s.Put(t.Context(), strings.NewReader(strings.Repeat("x", size)), newEntry("a", "example.com")); !errors.Is(err, syscall.EIO) || errors.Is(err, ErrFull) {
			t.Errorf("Put of %d octets: %v, want EIO", size, err)
		}
	}
	for name := range fsys.Files() {
		if strings.HasPrefix(name, "/spool/big/") {
			t.Errorf("a Put that failed left %s", name)
		}
	}
	failing.Store(false)
	writes = nil
	put(t, s, "after", newEntry("a", "example.com"))
	finish(t, s, e)
	for _, name := range writes {
		if name != "spool/log/3.log" {
			t.Errorf("after a failed fdatasync of 1.log and 2.log %s was written to", name)
		}
	}
	for _, mode := range disktest.Modes() { // and what it held before is there
		after := fsys.Reboot(mode)
		s, err := OpenFS(after, "spool", 1<<20, MaxInline)
		if err != nil {
			t.Fatal(err)
		}
		if got := keys(all(t, s)); got != "a" {
			t.Errorf("%v: %s, want a", mode, got)
		}
		s.Close()
	}
}

// Of a batch that could not be written nothing comes back, though some of its
// records stand whole in the file.
func TestFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		s, err := OpenFS(fsys, "spool", 1<<20, MaxInline)
		if err != nil {
			t.Fatal(err)
		}
		syncing, full := make(chan bool), false
		fsys.Before = func(op disktest.Op) error {
			switch {
			case op.Name == "datasync":
				<-syncing
			case op.Name == "writeat" && full:
				return syscall.ENOSPC // after half of it
			}
			return nil
		}
		errs := make(chan error, 10)
		add := func(id string) {
			go func() { errs <- s.Put(t.Context(), strings.NewReader("message "+id), newEntry(id, "example.com")) }()
			synctest.Wait()
		}
		add("first")
		for i := range 8 { // one batch: they wait for the first
			add(strings.Repeat(fmt.Sprint(i), 10))
		}
		full = true
		syncing <- true
		for range 9 {
			if err := <-errs; err != nil && !errors.Is(err, ErrFull) {
				t.Errorf("Put: %v", err)
			}
		}
		full = false
		add("x")
		syncing <- true
		if err := <-errs; err != nil {
			t.Errorf("Put when there is room again: %v", err)
		}
		fsys.Before = nil
		for _, mode := range disktest.Modes() {
			after, err := OpenFS(fsys.Reboot(mode), "spool", 1<<20, MaxInline)
			if err != nil {
				t.Fatal(err)
			}
			if got := keys(all(t, after)); got != "first x" || after.Recovery().Broken != nil {
				t.Errorf("%v: %s, %+v", mode, got, after.Recovery())
			}
			after.Close()
		}
		s.Close()
	})
}

// A batch of any size is written, or not, as one.
func TestLargeBatch(t *testing.T) {
	for _, fail := range []int{0, 1, 2, 3} { // the write of the batch that fails
		synctest.Test(t, func(t *testing.T) {
			fsys := disktest.New()
			s, err := OpenFS(fsys, "spool", 8<<20, MaxInline)
			if err != nil {
				t.Fatal(err)
			}
			syncing := make(chan bool)
			writes, want := 0, "a b c d e f first g h i"
			fsys.Before = func(op disktest.Op) error {
				switch {
				case op.Name == "datasync":
					<-syncing
				case op.Name == "writeat":
					if writes++; fail > 0 && writes == fail+1 { // the first is that of the first Put
						want = "first"
						return syscall.ENOSPC
					}
				}
				return nil
			}
			for _, id := range strings.Fields("first a b c d e f g h i") {
				go s.Put(t.Context(), strings.NewReader(strings.Repeat(id, MaxInline/len(id))), newEntry(id, "example.com"))
				synctest.Wait()
			}
			close(syncing)
			synctest.Wait()
			for _, fsys := range []*disktest.FS{fsys, fsys.Reboot(disktest.Kept), fsys.Reboot(disktest.Strict)} {
				if fsys.Before == nil {
					if s, err = OpenFS(fsys, "spool", 8<<20, MaxInline); err != nil {
						t.Fatal(err)
					}
				}
				got := all(t, s)
				for id, e := range got {
					if content(t, s, e) != strings.Repeat(id, MaxInline/len(id)) {
						t.Errorf("%s has other content", id)
					}
				}
				if keys(got) != want {
					t.Errorf("after a failure of write %d: %s, want %s", fail, keys(got), want)
				}
				s.Close()
			}
		})
	}
}

// Many do everything at once, with segments so small that they are sealed, moved
// and dropped all the time.
func TestConcurrent(t *testing.T) {
	fsys := disktest.New()
	s, err := OpenFS(fsys, "spool", 16<<10, large-1)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 50, 30
	message := func(id string) string {
		r := rand.New(rand.NewPCG(uint64(len(id)), uint64(id[len(id)-1])))
		return strings.Repeat(id+"\r\n", r.IntN(400))
	}
	check := func(e *Entry) {
		if content(t, s, e) != message(e.Env.ID) {
			t.Errorf("%s has other content", e.ID)
		}
	}
	var finished sync.Map
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d.%d", w, i)
				a, b := newEntry(id+"a", "a.example"), newEntry(id+"b", fmt.Sprint(i, ".example"))
				a.Env.ID, b.Env.ID = id, id
				put(t, s, message(id), a, b)
				for _, e := range next(t, s, now, 2) {
					check(e)
					e.Attempts++
					if e.Attempts < 3 || w == 0 && i == 0 {
						save(t, s, e)
						continue
					}
					finish(t, s, e)
					if _, twice := finished.LoadOrStore(e.ID, true); twice {
						t.Errorf("%s was finished twice", e.ID)
					}
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			for _, err := range s.All(t.Context()) {
				if err != nil {
					t.Errorf("All: %v", err)
				}
			}
		}
	})
	wg.Wait()
	for range 2 {
		n := 0
		finished.Range(func(any, any) bool { n++; return true })
		left := all(t, s)
		if n+len(left) != 2*writers*each {
			t.Errorf("%d finished and %d left, of %d", n, len(left), 2*writers*each)
		}
		for id, e := range left {
			if _, ok := finished.Load(id); ok {
				t.Errorf("%s is back", id)
			}
			check(e)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = OpenFS(fsys, "spool", 16<<10, large-1); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}

// The log does not grow with what passes through it, even while something stays,
// and an older segment is gone for good before a younger one is removed.
func TestLogStaysShort(t *testing.T) {
	fsys := disktest.New()
	const segment = 16 << 10
	removed := ""
	fsys.Before = func(op disktest.Op) error {
		switch {
		case op.Name == "syncdir" && op.Path == "spool/log":
			removed = ""
		case op.Name == "remove" && strings.HasSuffix(op.Path, ".log"):
			if removed != "" {
				t.Errorf("%s is removed before the removal of %s is durable", op.Path, removed)
			}
			removed = op.Path
		}
		return nil
	}
	s, err := OpenFS(fsys, "spool", segment, MaxInline)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stays := newEntry("stays", "slow.example")
	staying := strings.Repeat("s", 6<<10)
	put(t, s, staying, stays)
	for i := range 2000 {
		put(t, s, strings.Repeat("x", 1000), newEntry(fmt.Sprint("m", i), "example.com"))
		for _, e := range next(t, s, now, 1, "slow.example") {
			finish(t, s, e)
		}
	}
	total := 0
	for name, text := range fsys.Files() {
		if strings.HasPrefix(name, "/spool/log/") {
			total += len(text)
		}
	}
	if total > 6*segment {
		t.Errorf("the log has %d octets for one message", total)
	}
	if got := all(t, s)["stays"]; got == nil || content(t, s, got) != staying {
		t.Error("what stays is lost")
	}
}
