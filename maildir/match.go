package maildir

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// update is one in progress: what the folders and the uidlist say, against what was
// known.
type update struct {
	*box
	known map[string]listLine // lines read in this update, by base
	whole bool                // they are all there are
	first bool                // there was no index
	*view

	changed   []entry // with another name, shelf or flags
	flagged   []bool  // of each of changed: its flags are others
	added     []entry // with a UID that they have in the list
	guids     map[uint32]string
	gone      mailparts.UIDSet
	strangers []item            // without a UID
	announced bool              // the list has new lines whose files are not there
	unsure    bool              // not all that is missing is gone
	missing   map[string]uint32 // bases that were there and are not seen, and their UIDs
	before    map[string]uint32 // missing at the look before, if that was at both folders
}

func newUpdate(b *box) *update {
	u := &update{box: b, known: map[string]listLine{}, first: !b.known}
	if u.first {
		b.mu.Lock()
		b.ix = index.New(b.fsys, "") // nothing, to be compared with
		b.list.ID = 0
		b.mu.Unlock()
	}
	return u
}

func (u *update) readList(dir string, first bool) error {
	lines, whole, err := u.box.readList(dir, u.first && first)
	if err != nil {
		return err
	}
	if whole {
		u.whole = true
		clear(u.known)
	}
	for _, l := range lines {
		u.known[l.base] = l
	}
	return nil
}

// match finds out what became of each message, and what is new. A UID in the list
// counts if nobody was told that UIDs so low come no more.
func (u *update) match(dir string) error {
	u.changed, u.flagged, u.added, u.gone, u.strangers = nil, nil, nil, nil, nil
	u.guids = map[uint32]string{}
	u.missing = map[string]uint32{}
	for i := range u.ix.Entries {
		if e := &u.ix.Entries[i]; u.concerns(e) {
			u.matchEntry(e)
		}
	}
	if len(u.items) > 0 && !u.bothRead() {
		if err := u.matchTwins(dir); err != nil {
			return err
		}
	}
	u.matchStrangers()
	if u.first {
		for key := range u.known {
			if _, seen := u.items[key]; !seen {
				u.missing[key] = 0
			}
		}
	}
	return nil
}

// concerns reports whether a message must be looked for: its folder was read, or its
// line in the list may be another.
func (u *update) concerns(e *entry) bool { return u.read[e.Shelf] || u.whole || len(u.known) > 0 }

// matchEntry takes the message's file out of items.
func (u *update) matchEntry(e *entry) {
	key := keyOf(e)
	it, seen := u.items[key]
	if !seen && !u.read[e.Shelf] {
		it, seen = item{e.Name, e.Shelf}, true
	}
	l, listed := u.known[key]
	switch {
	case !seen:
		u.missing[key] = e.UID
	case listed && uint32(l.uid) != e.UID || u.whole && !listed: // another process gave it another UID
		u.items[key] = it
		u.gone.Add(mailparts.UID(e.UID), mailparts.UID(e.UID))
	default:
		if it.name != e.Name || it.shelf != e.Shelf {
			u.change(e, it)
		}
		delete(u.items, key)
	}
}

// change notes that a message has another name.
func (u *update) change(e *entry, it item) {
	to := *e
	to.Name, to.Shelf, to.Flags = it.name, it.shelf, uint32(flagsIn(it.name))
	u.changed = append(u.changed, to)
	u.flagged = append(u.flagged, to.Flags != e.Flags)
}

// matchTwins finds messages of the folder that was not read among what came to the
// other one: then there are two files with one base.
func (u *update) matchTwins(dir string) error {
	for i := range u.ix.Entries {
		e := &u.ix.Entries[i]
		if u.concerns(e) {
			continue
		}
		it, twin := u.items[keyOf(e)]
		if !twin {
			continue
		}
		winner, err := u.part(dir, item{e.Name, e.Shelf}, it)
		if err != nil {
			return err
		}
		if winner.name != e.Name || winner.shelf != e.Shelf {
			u.change(e, winner)
		}
		delete(u.items, keyOf(e))
	}
	return nil
}

// matchStrangers tells messages that have a UID in the list from those that need
// one.
func (u *update) matchStrangers() {
	var floor uint64
	if !u.first {
		floor = u.ix.Next
	}
	u.announced = false
	for key, l := range u.known {
		if _, seen := u.items[key]; !seen && uint64(l.uid) >= floor {
			u.announced = true
		}
	}
	for key, it := range u.items {
		l, listed := u.known[key]
		if listed && uint64(l.uid) >= floor {
			e := newEntry(l.uid, it.shelf, it.name)
			if e.Size < 0 {
				e.Size = l.wire()
			}
			if id := l.guid(); id != "" {
				u.guids[e.UID] = id
			}
			u.added = append(u.added, e)
		} else if !u.isFolder(it) {
			u.strangers = append(u.strangers, it)
		}
	}
}

// confirm makes those gone that are surely not there, and reports whether there are
// others: a message may have been overlooked because it was renamed in that moment,
// or because it moved to the folder that was not read. It is gone if two looks at both
// folders do not find it, or one while nobody changed them.
func (u *update) confirm() (unsure bool) {
	var gone []uint32
	for key, uid := range u.missing {
		if _, again := u.before[key]; !again && !(u.stable && u.bothRead()) {
			unsure = true
		} else if uid != 0 {
			gone = append(gone, uid)
		}
	}
	slices.Sort(gone)
	for _, uid := range gone {
		u.gone.Add(mailparts.UID(uid), mailparts.UID(uid))
	}
	return unsure
}

func (u *update) bothRead() bool { return u.read[newShelf] && u.read[curShelf] }

// number gives UIDs to strangers, in the order in which they came.
func (u *update) number(dir string) error {
	if len(u.strangers) == 0 {
		return nil
	}
	sortByArrival(u.strangers)
	lines := make([]listLine, len(u.strangers))
	for i, it := range u.strangers {
		lines[i].base = baseOf(it.name)
	}
	first, err := u.box.number(dir, lines)
	if err != nil {
		return u.postpone(dir, err)
	}
	u.waiting = false
	for i, it := range u.strangers {
		u.added = append(u.added, newEntry(first+mailparts.UID(i), it.shelf, it.name))
	}
	return nil
}

// publish writes the result to the index and shows it. Other flags are durable in
// the index before anybody sees them: a crash may turn them back on disk, and who
// was told of them must be told of that.
func (u *update) publish(dir string, began time.Time) error {
	b := u.box
	byUID := func(x, y entry) int { return cmp.Compare(x.UID, y.UID) }
	slices.SortFunc(u.added, byUID)
	h := b.ix.Head
	h.Shelves = u.view.shelves
	if u.view.cost > 0 {
		h.Cost = u.view.cost
	}
	h.Next = max(h.Next, b.nextUID())
	u.noteLost(h.Next)
	flagged := slices.Contains(u.flagged, true)
	at := h.HighestModSeq
	var full error
	if u.first || !b.fresh || flagged || len(u.added) > 0 || len(u.gone) > 0 {
		if at, full = b.nextModSeq(dir); full != nil && !disk.IsFull(full) {
			return full
		}
		h.HighestModSeq = at
	}
	for i := range u.added {
		u.added[i].ModSeq = at
		if !u.first {
			u.added[i].Saved = uint32(began.Unix())
		}
	}
	for i := range u.changed {
		if u.flagged[i] {
			u.changed[i].ModSeq = at
		}
	}
	if err := b.readKeywordsOf(dir); err != nil {
		return err
	}
	if u.first {
		h.Forgotten, h.FirstRecent = at, u.firstRecent(h.Next)
		b.rebuild(dir, h, u.added, u.guids)
	} else {
		put := append(u.changed, u.added...)
		slices.SortFunc(put, byUID)
		c := index.Change{Put: put, GUIDs: maps.Clone(u.guids)}
		if len(u.gone) > 0 {
			c.Gone = index.Tombstone{ModSeq: at, UIDs: u.gone}
		}
		news := !b.fresh || at != b.ix.HighestModSeq || len(put) > 0 || b.list.saved() != b.ix.List || h.Next != b.ix.Next
		b.fresh = true
		if settled := h.Shelves[newShelf].Settled && h.Shelves[curShelf].Settled; news || settled {
			b.commit(h, c, flagged)
		} else {
			b.show(h, c) // the next look says more
		}
	}
	if full != nil {
		b.giveUpIndex(full)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looked, b.distrust = began, u.unsure
	return nil
}

// noteLost adds to what is gone UIDs that were given out below next and are on no
// message: a crash may have taken from the index that they came and went.
func (u *update) noteLost(next uint64) {
	if u.first {
		return
	}
	var lost, found mailparts.UIDSet
	lost.Add(mailparts.UID(max(u.ix.Next, 1)), mailparts.UID(next-1))
	for i := range u.added {
		found.Add(mailparts.UID(u.added[i].UID), mailparts.UID(u.added[i].UID))
	}
	for _, r := range lost.Subtract(found) {
		u.gone.Add(r.First, r.Last)
	}
}

// firstRecent is, where nobody has noted which messages were seen, the first of
// those at the end that are still in new/.
func (u *update) firstRecent(next uint64) uint32 {
	first := uint32(next)
	for i := len(u.added) - 1; i >= 0 && u.added[i].Shelf == newShelf; i-- {
		first = u.added[i].UID
	}
	return first
}
