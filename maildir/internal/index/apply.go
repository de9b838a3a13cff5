package index

import (
	"slices"
	"sort"
)

// Change is what one operation did.
type Change struct {
	Put   []Entry           // new or changed messages, by ascending UIDs
	GUIDs map[uint32]string // of messages whose ID is not made of their name
	Gone  Tombstone

	edits []edit      // of messages that are there already
	gone  []Tombstone // more of them
}

// isEmpty reports whether the change says nothing.
func (c *Change) isEmpty() bool {
	return len(c.Put)+len(c.GUIDs)+len(c.Gone.UIDs)+len(c.edits)+len(c.gone) == 0
}

// Apply takes in a head and changes, and touches no disk. It changes Entries in
// place: readers copy them under the lock that the caller holds. At the end of
// Entries it costs what is new, and anywhere else what there is, once for each
// change.
func (s *State) Apply(h Head, changes ...Change) {
	h.Forgotten = max(h.Forgotten, s.Forgotten)
	s.Head = h
	for i := range changes {
		s.apply(&changes[i])
	}
}

// apply says how many edits make no sense.
func (s *State) apply(c *Change) (odd int) {
	if !s.loaded {
		return 0
	}
	s.put(c.Put)
	odd = s.edit(c.edits)
	for uid, id := range c.GUIDs {
		if _, ok := s.find(uid); ok {
			if s.GUIDs == nil {
				s.GUIDs = map[uint32]string{}
			}
			s.GUIDs[uid] = id
		}
	}
	s.remove(c.Gone)
	for _, t := range c.gone {
		s.remove(t)
	}
	return odd
}

func (s *State) find(uid uint32) (int, bool) { return find(s.Entries, uid) }

func find(entries []Entry, uid uint32) (int, bool) {
	i := sort.Search(len(entries), func(i int) bool { return entries[i].UID >= uid })
	return i, i < len(entries) && entries[i].UID == uid
}

// findFrom is find for who looks for one UID after the other: the nearer the next one
// is to where the last one was, the less it costs.
func findFrom(entries []Entry, from int, uid uint32) (int, bool) {
	step := 1
	for from+step < len(entries) && entries[from+step].UID < uid {
		from += step
		step *= 2
	}
	i, ok := find(entries[from:min(from+step+1, len(entries))], uid)
	return from + i, ok
}

// put merges messages into Entries, from the end on so that each moves once.
func (s *State) put(put []Entry) {
	if n := len(s.Entries); len(put) == 0 || n == 0 || put[0].UID > s.Entries[n-1].UID {
		s.Entries = append(s.Entries, put...)
		return
	}
	fresh, at := 0, 0
	for i := range put {
		var ok bool
		if at, ok = findFrom(s.Entries, at, put[i].UID); ok {
			s.Entries[at] = put[i]
		} else {
			fresh++
		}
	}
	if fresh == 0 {
		return
	}
	from := len(s.Entries)
	s.Entries = slices.Grow(s.Entries, fresh)[:from+fresh]
	for to, i := len(s.Entries), len(put)-1; to > from; to-- {
		switch old := from - 1; {
		case old >= 0 && (i < 0 || s.Entries[old].UID > put[i].UID):
			s.Entries[to-1] = s.Entries[old]
			from--
		case old >= 0 && s.Entries[old].UID == put[i].UID:
			s.Entries[to-1] = put[i]
			from--
			i--
		default:
			s.Entries[to-1] = put[i]
			i--
		}
	}
}

// edit says how many edits make no sense.
func (s *State) edit(edits []edit) (odd int) {
	names := nameStore{most: len(edits) * 80}
	at := 0
	for i := range edits {
		var ok bool
		if at, ok = findFrom(s.Entries, at, edits[i].uid); !ok {
			odd++
			continue
		}
		e := &s.Entries[at]
		edits[i].apply(e, &names)
		if len(e.Name) > maxName {
			odd++
		}
	}
	return odd
}

// remove moves what is between the removed ranges down.
func (s *State) remove(gone Tombstone) {
	if len(gone.UIDs) == 0 {
		return
	}
	from, _ := s.find(uint32(gone.UIDs[0].First))
	kept := s.Entries[:from]
	for i, r := range gone.UIDs {
		to, ok := findFrom(s.Entries, from, uint32(r.Last))
		if ok {
			to++
		}
		if len(s.GUIDs) > 0 {
			for _, e := range s.Entries[from:to] {
				delete(s.GUIDs, e.UID)
			}
		}
		from = len(s.Entries)
		if i+1 < len(gone.UIDs) {
			from, _ = findFrom(s.Entries, to, uint32(gone.UIDs[i+1].First))
		}
		kept = append(kept, s.Entries[to:from]...)
	}
	clear(s.Entries[len(kept):])
	s.Entries = kept
	s.bury(gone)
}

// maxGone is how many ranges of expunged UIDs are kept.
const maxGone = 10_000

// bury keeps a tombstone, and forgets the oldest ones if there are too many.
func (s *State) bury(t Tombstone) {
	if t.ModSeq <= s.Forgotten {
		return
	}
	at := sort.Search(len(s.Gone), func(i int) bool { return s.Gone[i].ModSeq >= t.ModSeq })
	s.ranges += len(t.UIDs)
	if at < len(s.Gone) && s.Gone[at].ModSeq == t.ModSeq {
		merged := slices.Clone(s.Gone[at].UIDs)
		s.ranges -= len(merged)
		for _, r := range t.UIDs {
			merged.Add(r.First, r.Last)
		}
		s.Gone[at].UIDs = merged
		s.ranges += len(merged) - len(t.UIDs)
	} else {
		s.Gone = slices.Insert(s.Gone, at, t)
	}
	for s.ranges > maxGone {
		s.Forgotten = max(s.Forgotten, s.Gone[0].ModSeq)
		s.ranges -= len(s.Gone[0].UIDs)
		s.Gone[0].UIDs = nil
		s.Gone = s.Gone[1:]
	}
}
