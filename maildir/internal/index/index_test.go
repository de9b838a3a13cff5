package index_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// Any changes in any order: who wrote them, who follows, and who reads all have the
// same.
func TestChanges(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		fsys, s := written(t, rnd.IntN(50))
		follower := load(t, fsys)
		for range 60 {
			var c index.Change
			uid := uint32(0)
			for uid += 1 + rnd.Uint32N(20); uid < 100; uid += 1 + rnd.Uint32N(20) {
				c.Put = append(c.Put, randomPut(rnd, s, uid))
				if rnd.IntN(8) == 0 {
					c.GUIDs = map[uint32]string{uid: fmt.Sprint("guid", uid)}
				}
			}
			for uid := 1 + rnd.Uint32N(60); rnd.IntN(3) == 0; uid += 2 + rnd.Uint32N(10) {
				c.Gone.UIDs.Add(mailparts.UID(uid), mailparts.UID(uid+rnd.Uint32N(3)))
			}
			c.Put = without(c.Put, c.Gone.UIDs)
			must(t, write(s, c, rnd.IntN(2) == 0))
			if s.Grown() || rnd.IntN(20) == 0 {
				must(t, s.Rewrite(false))
			}
			changes, h, replaced, err := follower.Tail()
			if must(t, err); replaced {
				follower = load(t, fsys)
			} else {
				follower.Apply(h, changes...)
			}
			same(t, follower, s)
			same(t, load(t, fsys), s)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}

// randomPut is a message that is new, or changed in some of its parts.
func randomPut(rnd *rand.Rand, s *index.State, uid uint32) index.Entry {
	e := message(uid, [...]string{"", ":2,", ":2,S", ":2,Fab"}[rnd.IntN(4)])
	at, ok := find(s, uid)
	if !ok || rnd.IntN(8) == 0 {
		return e
	}
	if old := s.Entries[at]; rnd.IntN(2) == 0 {
		e.Name, e.Flags = old.Name, old.Flags
	}
	e.Shelf = uint8(rnd.IntN(2))
	for _, part := range []func(){
		func() { e.Size = rnd.Int64N(1000) - 1 },
		func() { e.Received = rnd.Int64() - 1<<62 },
		func() { e.Saved = rnd.Uint32() },
		func() { e.Cached = rnd.Uint64() },
	} {
		if rnd.IntN(2) == 0 {
			part()
		}
	}
	return e
}

func without(put []index.Entry, gone mailparts.UIDSet) (kept []index.Entry) {
	for _, e := range put {
		if !gone.Contains(mailparts.UID(e.UID)) {
			kept = append(kept, e)
		}
	}
	return kept
}

// A State that was only peeked takes deliveries, and follows without the messages.
func TestPeeked(t *testing.T) {
	fsys, s := written(t, 3)
	p, q := index.New(fsys, name), index.New(fsys, name)
	must(t, p.Peek(), q.Peek())
	if p.Head != s.Head || p.Loaded() || p.Entries != nil {
		t.Fatalf("Peek read %+v and %d messages", p.Head, len(p.Entries))
	}
	c := index.Change{Put: []index.Entry{message(4, "")}, GUIDs: map[uint32]string{4: "g"}}
	must(t, write(p, c, false))
	if len(p.Entries) != 0 || p.Counts.Messages != 4 {
		t.Errorf("%d messages and a count of %d", len(p.Entries), p.Counts.Messages)
	}
	changes, h, replaced, err := q.Tail()
	if err != nil || replaced || len(changes) != 0 || h != p.Head {
		t.Errorf("Tail: %v, %+v, %v, %v", changes, h, replaced, err)
	}
	q.Apply(h)
	must(t, write(q, index.Change{Put: []index.Entry{message(5, "")}}, false))
	if got := load(t, fsys); len(got.Entries) != 5 || got.Head != q.Head || got.GUIDs[4] != "g" {
		t.Errorf("Load has %v, %+v", got.Entries, got.Head)
	}
}

// All that a head has comes back.
func TestHead(t *testing.T) {
	fsys, s := written(t, 0)
	h := s.Head
	h.FirstRecent, h.Forgotten, h.Cache, h.Cost = 2, 3, 1<<64-4, 5
	h.Shelves = [2]index.Shelf{{MTime: -1, Since: 2, Settled: true}, {MTime: 3, Since: -4, Stamped: true}}
	h.List = index.List{ID: 1 << 63, Size: 2, MTime: 3, Next: 1 << 32, Last: 1<<32 - 1, Lines: 6, Bad: true}
	must(t, s.Write(h, index.Change{}, false))
	p := index.New(fsys, name)
	must(t, p.Peek())
	if p.Head != h || load(t, fsys).Head != h {
		t.Errorf("head is %+v\nwant    %+v", p.Head, h)
	}
}

// A flag that very many messages get takes two octets for each.
func TestFlagsAreCompact(t *testing.T) {
	fsys, s := written(t, 10_000)
	before := len(get(t, fsys))
	var c index.Change
	for _, e := range s.Entries {
		c.Put = append(c.Put, flagged(s, e.UID, ":2,F"))
	}
	must(t, write(s, c, false))
	if grew := len(get(t, fsys)) - before; grew > 21_000 {
		t.Errorf("%d octets for 10,000 messages", grew)
	}
	same(t, load(t, fsys), s)

	before = len(get(t, fsys))
	must(t, write(s, index.Change{Put: []index.Entry{flagged(s, 77, ":2,")}}, false))
	if grew := len(get(t, fsys)) - before; grew > 120 {
		t.Errorf("%d octets for one message", grew)
	}
}

// No more tombstones are kept than have 10,000 ranges, and Forgotten says so.
func TestTombstonesAreBounded(t *testing.T) {
	fsys, s := written(t, 30_000)
	first := s.HighestModSeq
	for uid := mailparts.UID(1); uid < 24_000; uid += 2000 {
		var gone mailparts.UIDSet
		for u := uid; u < uid+2000; u += 2 {
			gone.Add(u, u)
		}
		must(t, write(s, index.Change{Gone: index.Tombstone{UIDs: gone}}, false))
	}
	for _, s := range []*index.State{s, load(t, fsys)} {
		ranges := 0
		for _, g := range s.Gone {
			ranges += len(g.UIDs)
			if g.ModSeq <= s.Forgotten {
				t.Errorf("a tombstone has mod-sequence %d, forgotten is %d", g.ModSeq, s.Forgotten)
			}
		}
		if ranges != 10_000 || s.Forgotten != first+2 {
			t.Errorf("%d ranges, and forgotten is %d, want %d", ranges, s.Forgotten, first+2)
		}
	}
	var most mailparts.UIDSet // one expunge with more
	for u := mailparts.UID(2); u <= 45_000; u += 2 {
		most.Add(u, u)
	}
	must(t, write(s, index.Change{Gone: index.Tombstone{UIDs: most}}, false))
	for range 2 {
		if got := load(t, fsys); len(got.Gone) != 0 || got.Forgotten != s.HighestModSeq || len(got.Entries) != len(s.Entries) {
			t.Errorf("%d tombstones, forgotten is %d, want %d", len(got.Gone), got.Forgotten, s.HighestModSeq)
		}
		must(t, s.Rewrite(false))
	}
}

// Rewrite leaves old changes behind once they are much.
func TestGrown(t *testing.T) {
	fsys, s := written(t, 10)
	for n := 0; !s.Grown(); n++ {
		if n > 10_000 {
			t.Fatal("never grown")
		}
		must(t, write(s, index.Change{Put: []index.Entry{flagged(s, 5, [...]string{":2,", ":2,S"}[n%2])}}, false))
	}
	before := len(get(t, fsys))
	must(t, s.Rewrite(false))
	if after := len(get(t, fsys)); s.Grown() || after > before/10 {
		t.Errorf("%d octets of %d after Rewrite, grown: %v", after, before, s.Grown())
	}
	same(t, load(t, fsys), s)
}

func TestNone(t *testing.T) {
	s := index.New(disktest.New(), name)
	_, _, _, tail := s.Tail()
	for _, err := range []error{s.Peek(), s.Load(), tail} {
		if !errors.Is(err, index.ErrNone) {
			t.Errorf("%v, want ErrNone", err)
		}
	}
	if err := s.Write(index.Head{}, index.Change{}, false); err == nil {
		t.Error("Write to nothing succeeded")
	}
}

// A State that has not seen what others wrote may not write, whether they wrote to its
// file or replaced it.
func TestWriteOfStale(t *testing.T) {
	for _, others := range []func(s *index.State) error{
		func(s *index.State) error { return write(s, index.Change{Put: []index.Entry{message(9, "")}}, false) },
		func(s *index.State) error { return s.Rewrite(false) },
		func(s *index.State) error { return errors.Join(s.Rewrite(false), s.Rewrite(false)) },
	} {
		fsys, s := written(t, 3)
		old := load(t, fsys)
		must(t, others(s))
		if write(old, index.Change{Put: []index.Entry{message(10, "")}}, false) == nil {
			t.Error("Write succeeded")
		}
		same(t, load(t, fsys), s)
	}
}

// Write refuses what Load would.
func TestWriteOfNonsense(t *testing.T) {
	long := message(4, ":2,"+strings.Repeat("a", 250))
	for what, put := range map[string][]index.Entry{
		"no UID":          {message(0, "")},
		"a UID twice":     {message(4, ""), message(4, "")},
		"a long name":     {long},
		"no name":         {{UID: 4}},
		"no base":         {{UID: 4, Name: ":2,"}},
		"a base too long": {{UID: 4, Name: "a", Base: 2}},
		"a folder":        {{UID: 4, Name: "a/b", Base: 3}},
		"a hidden file":   {{UID: 4, Name: ".a", Base: 2}},
		"a line":          {{UID: 4, Name: "a\n", Base: 2}},
		"NUL":             {{UID: 4, Name: "a\x00", Base: 2}},
		"a third shelf":   {{UID: 4, Name: "a", Base: 1, Shelf: 2}},
		"a size below -1": {{UID: 4, Name: "a", Base: 1, Size: -2}},
	} {
		fsys, s := written(t, 3)
		before := string(get(t, fsys))
		h := s.Head
		h.Next, h.HighestModSeq = 1<<32, 1<<63
		if s.Write(h, index.Change{Put: put}, false) == nil {
			t.Errorf("%s: written", what)
		}
		if string(get(t, fsys)) != before {
			t.Errorf("%s: the file has changed", what)
		}
	}
	fsys, s := written(t, 3)
	high := message(9, "")
	for what, c := range map[string]index.Change{
		"a UID above UIDNEXT":              {Put: []index.Entry{{UID: 9, Name: "a", Base: 1}}},
		"a mod-sequence above the highest": {Put: []index.Entry{high}},
		"a tombstone above the highest":    {Gone: index.Tombstone{ModSeq: s.HighestModSeq + 1, UIDs: uids(1, 1)}},
		"ranges that overlap":              {Gone: index.Tombstone{ModSeq: 1, UIDs: mailparts.UIDSet{{First: 1, Last: 3}, {First: 2, Last: 4}}}},
		"a range that is none":             {Gone: index.Tombstone{ModSeq: 1, UIDs: mailparts.UIDSet{{First: 3, Last: 1}}}},
		"an empty GUID":                    {GUIDs: map[uint32]string{1: ""}},
		"a long GUID":                      {GUIDs: map[uint32]string{1: strings.Repeat("g", 256)}},
	} {
		if s.Write(s.Head, c, false) == nil {
			t.Errorf("%s: written", what)
		}
	}
	same(t, load(t, fsys), s)
}

func TestSetAside(t *testing.T) {
	fsys, s := written(t, 3)
	aside, err := s.SetAside()
	if must(t, err); !strings.HasPrefix(aside, name+".bad-2") || fsys.Files()["/"+aside] == "" {
		t.Errorf("set aside as %q", aside)
	}
	if _, err := fsys.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}
