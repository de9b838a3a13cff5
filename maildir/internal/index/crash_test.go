package index_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// steps are what a process may do to an index of five messages, and whether it is
// durable after it.
var steps = []struct {
	durable bool
	do      func(s *index.State, durable bool) error
}{
	{false, func(s *index.State, durable bool) error {
		return write(s, index.Change{Put: []index.Entry{message(6, "")}}, durable)
	}},
	{true, func(s *index.State, durable bool) error {
		return write(s, index.Change{Put: []index.Entry{flagged(s, 2, ":2,FS"), flagged(s, 3, ":2,FS")}}, durable)
	}},
	{false, func(s *index.State, durable bool) error {
		h := s.Head
		h.Next++
		err := s.Write(h, index.Change{}, durable)
		if err == nil {
			s.Apply(h)
		}
		return err
	}},
	{false, func(s *index.State, durable bool) error {
		return write(s, index.Change{Gone: index.Tombstone{UIDs: uids(1, 2)}}, durable)
	}},
	{false, func(s *index.State, durable bool) error { return s.Rewrite(durable) }},
	{false, func(s *index.State, durable bool) error {
		return write(s, index.Change{Put: []index.Entry{message(9, ":2,S")}, GUIDs: map[uint32]string{9: "g"}}, durable)
	}},
	{true, func(s *index.State, durable bool) error { return write(s, index.Change{}, durable) }},
	{true, func(s *index.State, durable bool) error { return s.Rewrite(durable) }},
	{false, func(s *index.State, durable bool) error {
		return write(s, index.Change{Put: []index.Entry{message(12, "")}}, durable)
	}},
}

// states are the index before the first step and after each of them.
func states(t *testing.T) (all []*index.State) {
	fsys, s := written(t, 5)
	for i := 0; ; i++ {
		all = append(all, load(t, fsys))
		if i == len(steps) {
			return all
		}
		must(t, steps[i].do(s, steps[i].durable))
	}
}

func five(fsys *disktest.FS) {
	if err := mailbox(fsys, name, 5).Rewrite(true); err != nil {
		panic(err)
	}
}

// run says how many steps were done, and how many of these are durable.
type progress struct{ done, durable int }

func run(fsys *disktest.FS) (p progress) {
	s := index.New(fsys, name)
	if s.Load() != nil {
		return p
	}
	for _, step := range steps {
		if step.do(s, step.durable) != nil {
			return p
		}
		if p.done++; step.durable {
			p.durable = p.done
		}
	}
	return p
}

// isAt returns which of states an index is at, of those from and to; -1 is none. A
// crash may have taken what Load need not keep.
func isAt(s *index.State, states []*index.State, from, to int) int {
	for i := from; i <= min(to, len(states)-1); i++ {
		w := *states[i]
		for _, h := range []*index.Head{&s.Head, &w.Head} {
			h.Boot, h.Next = 0, 0
		}
		if s.Head == w.Head && reflect.DeepEqual(s.Entries, w.Entries) && fmt.Sprint(s.GUIDs, s.Gone) == fmt.Sprint(w.GUIDs, w.Gone) {
			return i
		}
	}
	return -1
}

// After a crash anywhere the index is at one of the steps: the last one that was
// durable, or later ones that are whole. A process that died takes nothing with it.
func TestCrash(t *testing.T) {
	all := states(t)
	disktest.Crash(t, five, run, func(t *testing.T, after *disktest.FS, p progress) {
		s := index.New(after, name)
		err := s.Load()
		if err != nil {
			t.Fatalf("%v after %+v", err, p)
		}
		from := p.durable
		if index.BootOf(after) == s.Boot {
			from = p.done
		}
		if at := isAt(s, all, from, p.done+1); at < 0 {
			t.Fatalf("after %+v the index is %+v with %v", p, s.Head, s.Entries)
		}
		h := s.Head
		h.Boot = index.BootOf(after)
		must(t, s.Write(h, index.Change{}, false))
		s.Apply(h)
		must(t, write(s, index.Change{Put: []index.Entry{message(70, "")}}, false))
		same(t, load(t, after), s)
		peeked := index.New(after, name)
		if must(t, peeked.Peek()); peeked.Head != s.Head {
			t.Errorf("Peek reads %+v, want %+v", peeked.Head, s.Head)
		}
	})
}

// What fails leaves the index as it was, and it can be written again.
func TestFail(t *testing.T) {
	all := states(t)
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		disktest.Fail(t, cause, five, run, func(t *testing.T, after *disktest.FS, p progress) {
			s := index.New(after, name)
			must(t, s.Load())
			from, to := p.done, p.done
			if index.BootOf(after) != s.Boot {
				from = p.durable
			}
			if isAt(s, all, from, to) < 0 {
				t.Errorf("after %+v the index is %+v with %v", p, s.Head, s.Entries)
			}
		})
	}
}

// The process in which a Write failed goes on.
func TestGoesOnAfterFailure(t *testing.T) {
	disktest.Fail(t, syscall.ENOSPC, five, func(fsys *disktest.FS) int {
		s := index.New(fsys, name)
		done := 0
		for uid := uint32(10); uid < 14; uid++ {
			if !s.Loaded() && s.Load() != nil {
				continue
			}
			if write(s, index.Change{Put: []index.Entry{message(uid, "")}}, true) == nil {
				done++
			}
		}
		return done
	}, func(t *testing.T, after *disktest.FS, done int) {
		if s := load(t, after); len(s.Entries) != 5+done || done < 3 {
			t.Errorf("%d of 4 messages were written, and %d are there", done, len(s.Entries)-5)
		}
	})
}

// The rest of a Write whose process died is cut off, and a later crash does not bring
// it back in the place of what came after it.
func TestLeftOverIsCut(t *testing.T) {
	fsys, s := written(t, 3)
	whole := string(get(t, fsys))
	must(t, write(s, index.Change{Put: []index.Entry{message(4, ":2,S")}}, true))
	must(t, write(s, index.Change{Put: []index.Entry{message(5, ":2,S")}}, true))
	over := string(get(t, fsys))[len(whole):]
	put(t, fsys, []byte(whole+over))

	s = load(t, fsys)
	if len(s.Entries) != 3 {
		t.Fatalf("%d messages", len(s.Entries))
	}
	var ops []string
	fsys.Before = func(op disktest.Op) error {
		ops = append(ops, op.Name)
		return nil
	}
	must(t, write(s, index.Change{Put: []index.Entry{message(6, "")}}, false))
	fsys.Before = nil
	if cut := slices.Index(ops, "truncate"); cut < 0 || ops[cut+1] != "datasync" || slices.Index(ops, "writeat") < cut {
		t.Errorf("Write does %q, want the rest cut off durably first", ops)
	}
	same(t, load(t, fsys), s)
	for _, mode := range disktest.Modes() {
		s := index.New(fsys.Reboot(mode), name)
		if err := s.Load(); err != nil || len(s.Entries) > 3 && s.Entries[3].UID != 6 {
			t.Errorf("%v: %v, messages are %v", mode, err, s.Entries)
		}
	}
}

// Damage is no crash if the machine has run all the time. What a crash has left says
// nothing of folders and the uidlist.
func TestDamageIsNoCrash(t *testing.T) {
	spoil := func(fsys *disktest.FS) {
		content := get(t, fsys)
		content[len(content)-1] ^= 1
		put(t, fsys, content)
	}
	fsys, s := written(t, 3)
	h := s.Head
	h.Shelves[0].MTime, h.List.ID, h.Cost = 1, 2, 3
	must(t, s.Write(h, index.Change{}, true))
	s.Apply(h)
	must(t, write(s, index.Change{Put: []index.Entry{message(4, "")}}, true))
	spoil(fsys)
	if err := index.New(fsys, name).Load(); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
	crashed := fsys.Reboot(disktest.Strict)
	s = load(t, crashed)
	if len(s.Entries) != 3 || s.Shelves != [2]index.Shelf{} || s.List != (index.List{}) || s.Cost != 0 {
		t.Errorf("after a crash: %+v with %d messages", s.Head, len(s.Entries))
	}

	must(t, write(s, index.Change{Put: []index.Entry{message(4, "")}}, true))
	crashed = crashed.Reboot(disktest.Strict)
	s = load(t, crashed)
	h = s.Head
	h.Boot = index.BootOf(crashed)
	must(t, s.Write(h, index.Change{}, false)) // only the head is of this run
	spoil(crashed)
	if err := index.New(crashed, name).Load(); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("damaged since the crash: %v, want ErrDamaged", err)
	}
}

// Two processes find what a crash has left, and each writes on what the other did.
func TestTwoAfterCrash(t *testing.T) {
	fsys, s := written(t, 3)
	must(t, write(s, index.Change{Put: []index.Entry{message(4, "")}}, true))
	must(t, write(s, index.Change{Put: []index.Entry{message(5, "")}}, false))
	after := fsys.Reboot(disktest.Zeros)
	a, b := load(t, after), load(t, after)
	if len(a.Entries) != 4 {
		t.Fatalf("%d messages are left", len(a.Entries))
	}
	must(t, write(a, index.Change{Put: []index.Entry{message(6, "")}}, false))
	if write(b, index.Change{Put: []index.Entry{message(7, "")}}, false) == nil {
		t.Error("the other process wrote over what it has not read")
	}
	changes, h, replaced, err := b.Tail()
	if err != nil || replaced {
		t.Fatalf("Tail: %v, %v", replaced, err)
	}
	b.Apply(h, changes...)
	must(t, write(b, index.Change{Put: []index.Entry{message(7, "")}}, false))
	same(t, load(t, after), b)
	if len(b.Entries) != 6 {
		t.Errorf("%d messages", len(b.Entries))
	}
}
