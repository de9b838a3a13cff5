package mailparts_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mailparts/mailparts"
)

const maxUID = math.MaxUint32

func TestUIDSetAdd(t *testing.T) {
	type r = mailparts.UIDRange
	for _, c := range []struct {
		add  []r
		want string
	}{
		{nil, ""},
		{[]r{{5, 5}}, "5"},
		{[]r{{1, 3}, {5, 7}}, "1:3,5:7"},
		{[]r{{5, 7}, {1, 3}}, "1:3,5:7"},
		{[]r{{1, 3}, {4, 4}}, "1:4"},
		{[]r{{5, 7}, {4, 4}}, "4:7"},
		{[]r{{1, 3}, {5, 7}, {4, 4}}, "1:7"},
		{[]r{{1, 3}, {2, 2}}, "1:3"},
		{[]r{{2, 2}, {1, 3}}, "1:3"},
		{[]r{{1, 1}, {3, 3}, {5, 5}, {7, 7}, {2, 6}}, "1:7"},
		{[]r{{1, 1}, {4, 4}, {8, 8}, {3, 5}}, "1,3:5,8"},
		{[]r{{10, 20}, {1, maxUID}}, "1:4294967295"},
		{[]r{{maxUID, maxUID}, {maxUID - 1, maxUID - 1}}, "4294967294:4294967295"},
		{[]r{{1, maxUID}, {1, maxUID}, {maxUID, maxUID}}, "1:4294967295"},
		{[]r{{0, 5}}, ""}, // zero is no UID
		{[]r{{5, 4}}, ""},
	} {
		var s mailparts.UIDSet
		for _, a := range c.add {
			s.Add(a.First, a.Last)
		}
		if got := s.String(); got != c.want {
			t.Errorf("%v added is %q, want %q", c.add, got, c.want)
		}
	}
}

func TestUIDSetOperations(t *testing.T) {
	s := func(ranges ...mailparts.UIDRange) mailparts.UIDSet { return ranges }
	type r = mailparts.UIDRange
	for _, c := range []struct {
		s, t                mailparts.UIDSet
		intersect, subtract string
	}{
		{nil, nil, "", ""},
		{s(r{1, 5}), nil, "", "1:5"},
		{nil, s(r{1, 5}), "", ""},
		{s(r{1, 9}), s(r{3, 5}), "3:5", "1:2,6:9"},
		{s(r{1, 9}), s(r{1, 9}), "1:9", ""},
		{s(r{3, 5}), s(r{1, 9}), "3:5", ""},
		{s(r{1, 3}, r{5, 7}, r{9, 9}), s(r{3, 5}, r{9, 20}), "3,5,9", "1:2,6:7"},
		{s(r{1, 3}, r{7, 9}), s(r{5, 5}), "", "1:3,7:9"},
		{mailparts.AllUIDs(), s(r{1, 1}, r{maxUID, maxUID}), "1,4294967295", "2:4294967294"},
		{mailparts.AllUIDs(), mailparts.AllUIDs(), "1:4294967295", ""},
	} {
		if got := c.s.Intersect(c.t).String(); got != c.intersect {
			t.Errorf("%v and %v have %q in common, want %q", c.s, c.t, got, c.intersect)
		}
		if got := c.s.Subtract(c.t).String(); got != c.subtract {
			t.Errorf("%v without %v is %q, want %q", c.s, c.t, got, c.subtract)
		}
	}
	all := mailparts.AllUIDs()
	if all.Len() != maxUID || all.Contains(0) || !all.Contains(1) || !all.Contains(maxUID) {
		t.Errorf("AllUIDs has %d UIDs, 0: %t, 1: %t, the largest: %t", all.Len(), all.Contains(0), all.Contains(1), all.Contains(maxUID))
	}
}

// FuzzUIDSet compares with a map. Each pair of octets is a range of one of two
// sets, near zero or near the largest UID.
func FuzzUIDSet(f *testing.F) {
	f.Add([]byte{1, 3, 5, 2}, []byte{2, 9})
	f.Add([]byte{0x80, 0x10, 0xff, 1}, []byte{0xfe, 4, 0, 2})
	f.Add([]byte{9, 1, 7, 1, 5, 1, 3, 1, 8, 1}, []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s, sm := setAndModel(a)
		u, um := setAndModel(b)
		checkUIDSet(t, "the first", s, sm)
		checkUIDSet(t, "the second", u, um)
		both, only := model{}, model{}
		for uid := range sm {
			if um[uid] {
				both[uid] = true
			} else {
				only[uid] = true
			}
		}
		checkUIDSet(t, fmt.Sprintf("%v and %v", s, u), s.Intersect(u), both)
		checkUIDSet(t, fmt.Sprintf("%v without %v", s, u), s.Subtract(u), only)
		checkUIDSet(t, "the first, afterwards", s, sm)
		checkUIDSet(t, "the second, afterwards", u, um)
	})
}

type model map[mailparts.UID]bool

func setAndModel(ops []byte) (s mailparts.UIDSet, m model) {
	m = model{}
	for ; len(ops) >= 2; ops = ops[2:] {
		v := binary.BigEndian.Uint16(ops)
		first, n := uint32(v>>8&0x7f), uint32(v&0x1f)
		if v&0x8000 != 0 {
			first += maxUID - 150
		}
		last := min(uint64(first)+uint64(n), maxUID)
		s.Add(mailparts.UID(first), mailparts.UID(last))
		for uid := uint64(first); first != 0 && uid <= last; uid++ {
			m[mailparts.UID(uid)] = true
		}
	}
	return s, m
}

func checkUIDSet(t *testing.T, what string, s mailparts.UIDSet, m model) {
	t.Helper()
	if int(s.Len()) != len(m) {
		t.Errorf("%s: %v has %d UIDs, want %d", what, s, s.Len(), len(m))
	}
	for i, r := range s {
		if r.First == 0 || r.Last < r.First || i > 0 && uint64(r.First) <= uint64(s[i-1].Last)+1 {
			t.Errorf("%s: %v is not in order", what, s)
		}
		for _, edge := range []mailparts.UID{r.First - 1, r.First, r.Last, r.Last + 1} {
			if s.Contains(edge) != m[edge] {
				t.Errorf("%s: %v has %d: %t, want %t", what, s, edge, s.Contains(edge), m[edge])
			}
		}
	}
	for uid := range m {
		if !s.Contains(uid) {
			t.Errorf("%s: %v is without %d", what, s, uid)
		}
	}
}

// TestUIDSetAddAtEnd adds a million UIDs in order: it ends soon because each is
// cheap.
func TestUIDSetAddAtEnd(t *testing.T) {
	var s mailparts.UIDSet
	for uid := mailparts.UID(1); uid < 2_000_000; uid += 2 {
		s.Add(uid, uid)
	}
	if s.Len() != 1_000_000 || len(s) != 1_000_000 {
		t.Errorf("%d UIDs in %d ranges, want a million in as many", s.Len(), len(s))
	}
	if got := s.Subtract(slices.Clone(s)); len(got) != 0 {
		t.Errorf("without itself it has %d ranges, want none", len(got))
	}
}
