package index

import (
	"errors"
	"io/fs"
	"slices"
	"sort"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// What Peek, Load and Tail answer where there is nothing to read.
var (
	ErrNone    = errors.New("no index")
	ErrDamaged = errors.New("index is damaged")
)

// Entry is one message. A mailbox has very many of them: 64 octets and the name.
type Entry struct {
	Name     string // of the file, with its info
	ModSeq   uint64
	Size     int64  // octets on the wire; -1: not known
	Received int64  // modification time in nanoseconds since 1970; 0: not known
	Cached   uint64 // where the cache file has its derived octets; 0: nowhere
	UID      uint32
	Flags    uint32 // maildir's flagSet
	Saved    uint32 // seconds since 1970; 0: not known
	Base     uint16 // octets of Name before the info
	Shelf    uint8  // 0 new/, 1 cur/
}

// Tombstone is what one change expunged.
type Tombstone struct {
	ModSeq uint64
	UIDs   mailparts.UIDSet
}

// Shelf is what is known of new/ or cur/: maildir says what the fields mean.
type Shelf struct {
	MTime, Since     int64
	Settled, Stamped bool
}

// List is what is known of the uidlist: maildir says what the fields mean.
type List struct {
	ID          uint64
	Size, MTime int64
	Next        uint64
	Last, Lines uint32
	Bad         bool
}

// Counts are totals over the messages.
type Counts struct {
	Messages, Unseen, Deleted uint32
	Unsized                   uint32 // messages whose size is not known
	Size, DeletedSize         int64  // of those whose size is known
}

// The two flags that are counted.
const (
	Seen    = 1 << 3
	Deleted = 1 << 4
)

// Add counts a message.
func (c *Counts) Add(e Entry) { c.count(e, 1) }

// Remove takes a message out of the counts.
func (c *Counts) Remove(e Entry) { c.count(e, -1) }

func (c *Counts) count(e Entry, n int32) {
	c.Messages += uint32(n)
	if e.Flags&Seen == 0 {
		c.Unseen += uint32(n)
	}
	if e.Flags&Deleted != 0 {
		c.Deleted += uint32(n)
	}
	if e.Size < 0 {
		c.Unsized += uint32(n)
		return
	}
	c.Size += int64(n) * e.Size
	if e.Flags&Deleted != 0 {
		c.DeletedSize += int64(n) * e.Size
	}
}

// Head is what an index says without its messages.
type Head struct {
	Validity      uint32
	FirstRecent   uint32
	Next          uint64 // UIDNEXT
	HighestModSeq uint64
	Forgotten     uint64 // of changes at or below this one there may be no tombstones
	Counts        Counts
	Shelves       [2]Shelf
	List          List
	Cost          time.Duration // of the last look at the shelves
	Boot          uint64        // which run of the machine wrote it; 0: not known
}

// Change is what one operation did.
type Change struct {
	Put   []Entry           // new or changed messages, by ascending UIDs
	GUIDs map[uint32]string // of those of Put whose ID is not made of their name
	Gone  Tombstone

	infos []info // of messages that are there already
}

// isEmpty reports whether there is nothing to write.
func (c *Change) isEmpty() bool { return len(c.Put) == 0 && len(c.GUIDs) == 0 && len(c.Gone.UIDs) == 0 }

// State is an index in memory.
type State struct {
	Head
	Entries []Entry // by ascending UIDs
	GUIDs   map[uint32]string
	Gone    []Tombstone // by ascending mod-sequences

	fsys   disk.FS
	name   string
	file   fs.FileInfo // when it was read or written last; nil: never
	at     position
	loaded bool
}

// maxGone is how many ranges of tombstones are kept.
const maxGone = 20000

// Apply takes in a head and changes, and touches no disk. It changes Entries in
// place: readers copy them under the lock that the caller holds.
func (s *State) Apply(h Head, changes ...Change) {
	forgotten := s.Forgotten
	s.Head = h
	s.Forgotten = max(h.Forgotten, forgotten)
	for i := range changes {
		s.apply(&changes[i])
	}
}

func (s *State) apply(c *Change) {
	if !s.loaded {
		return
	}
	s.put(c.Put)
	for _, i := range c.infos {
		if at, ok := s.find(i.uid); ok {
			e := &s.Entries[at]
			e.Name, e.Flags, e.Shelf, e.ModSeq = e.Name[:e.Base]+i.text, i.flags, i.shelf, i.modSeq
		}
	}
	for uid, id := range c.GUIDs {
		if s.GUIDs == nil {
			s.GUIDs = map[uint32]string{}
		}
		s.GUIDs[uid] = id
	}
	s.remove(c.Gone)
}

func (s *State) find(uid uint32) (int, bool) {
	i := sort.Search(len(s.Entries), func(i int) bool { return s.Entries[i].UID >= uid })
	return i, i < len(s.Entries) && s.Entries[i].UID == uid
}

func (s *State) put(put []Entry) {
	for i, e := range put {
		if len(s.Entries) == 0 || e.UID > s.Entries[len(s.Entries)-1].UID {
			s.Entries = append(s.Entries, put[i:]...)
			return
		}
		at, ok := s.find(e.UID)
		if ok {
			s.Entries[at] = e
		} else {
			s.Entries = slices.Insert(s.Entries, at, e)
		}
	}
}

func (s *State) remove(gone Tombstone) {
	if len(gone.UIDs) == 0 {
		return
	}
	from, _ := s.find(uint32(gone.UIDs[0].First))
	kept := s.Entries[:from]
	for _, e := range s.Entries[from:] {
		if gone.UIDs.Contains(mailparts.UID(e.UID)) {
			delete(s.GUIDs, e.UID)
		} else {
			kept = append(kept, e)
		}
	}
	clear(s.Entries[len(kept):])
	s.Entries = kept
	s.Gone = append(s.Gone, gone)
	n := 0
	for i := len(s.Gone) - 1; i >= 0; i-- {
		if n += len(s.Gone[i].UIDs); n > maxGone && i < len(s.Gone)-1 {
			s.Forgotten = max(s.Forgotten, s.Gone[i].ModSeq)
			s.Gone = slices.Delete(s.Gone, 0, i+1)
			break
		}
	}
}

// Loaded reports whether the messages are there too.
func (s *State) Loaded() bool { return s.loaded }

// New returns a State of which nothing is known.
func New(fsys disk.FS, name string) *State { return &State{fsys: fsys, name: name} }

// Of returns a State that is not written yet.
func Of(fsys disk.FS, name string, h Head, entries []Entry, guids map[uint32]string) *State {
	return &State{Head: h, Entries: entries, GUIDs: guids, fsys: fsys, name: name, loaded: true}
}
