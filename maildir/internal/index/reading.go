package index

import (
	"errors"
	"io"

	"github.com/mailparts/mailparts/internal/disk"
)

// reading is a scanner that understands the records.
type reading struct {
	scan  *scanner
	id    uint64 // of the file, from its first record
	names nameStore
	put   []Entry // of the last record
	edits []edit
	top   Head // the highest mod-sequence and UID since the last commit, the latter as its Next

	head   Head     // of the last commit
	commit position // where it ends
}

// beginning is before the first record.
var beginning = position{end: headSize}

// newReading goes on at a commit, or at the beginning.
func newReading(f io.ReaderAt, at position, to int64) *reading {
	return &reading{
		scan: newScanner(f, at.end, to, at.sum), id: at.id, commit: at,
		names: nameStore{most: int(min(to-at.end, namesEach))},
	}
}

// next reads one record into c, whose slices are valid until the call after it, or
// returns io.EOF.
func (r *reading) next(c *Change) error {
	letter, b, err := r.scan.next()
	if err != nil {
		return err
	}
	*c = Change{}
	if (letter == beginRecord) != (r.id == 0) {
		return damaged("a record is not in its place")
	}
	switch letter {
	case beginRecord:
		r.id, err = readStart(b)
	case putRecord:
		r.names.most = max(r.names.most, int(min(r.scan.end-r.scan.at, namesEach)))
		r.put, err = readPuts(b, r.put[:0], &r.names)
		c.Put = r.put
	case editRecord:
		r.edits, err = readEdits(b, r.edits[:0])
		c.edits = r.edits
	case guidRecord:
		c.GUIDs, err = readGUIDs(b)
	case goneRecord:
		c.gone, err = readGone(b)
	case commitRecord:
		err = r.end(b)
	default:
		err = damaged("a record has the unknown letter %q", letter)
	}
	r.top.note(c)
	return err
}

// note raises a head's numbers to those of a change.
func (h *Head) note(c *Change) {
	for i := range c.Put {
		h.HighestModSeq = max(h.HighestModSeq, c.Put[i].ModSeq)
	}
	if n := len(c.Put); n > 0 {
		h.Next = max(h.Next, uint64(c.Put[n-1].UID)+1)
	}
	for i := range c.edits {
		h.HighestModSeq = max(h.HighestModSeq, c.edits[i].modSeq)
	}
	for _, t := range c.gone {
		h.HighestModSeq = max(h.HighestModSeq, t.ModSeq)
	}
	h.HighestModSeq = max(h.HighestModSeq, c.Gone.ModSeq)
}

// covers reports whether a head's numbers are as high as they must be.
func (h *Head) covers(top Head) bool {
	return h.Next >= top.Next && h.HighestModSeq >= top.HighestModSeq
}

// end is for a record that ends a change.
func (r *reading) end(b []byte) (err error) {
	if r.head, err = readCommit(b); err != nil {
		return err
	}
	if !r.head.covers(r.top) {
		return damaged("its messages have higher numbers than its head")
	}
	r.top = Head{}
	if r.commit.start == 0 {
		r.commit.start = r.scan.at
	}
	r.commit.id, r.commit.end, r.commit.sum = r.id, r.scan.at, r.scan.sum
	return nil
}

// load reads all there is, or after a crash all that is whole.
func (s *State) load(f disk.File) error {
	h, p, err := readHead(f)
	if err == nil {
		if err = s.loadTo(f, p, &h); !errors.Is(err, ErrDamaged) {
			return err
		}
	}
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	boot := BootOf(s.fsys)
	if p.id != 0 && h.Boot != 0 && h.Boot == boot {
		return err // no crash was in between
	}
	r := lastCommit(f, p)
	if r.commit == beginning || r.head.Boot != 0 && r.head.Boot == boot {
		return err
	}
	torn := make([]byte, headSize)
	if _, rerr := f.ReadAt(torn, 0); rerr != nil || s.loadTo(f, r.commit, nil) != nil {
		return err
	}
	s.torn = torn
	return nil
}

// lastCommit reads up to what is damaged, and no further than the head goes, if it
// can be read.
func lastCommit(f disk.File, p position) *reading {
	to := p.end
	if fi, err := f.Stat(); err == nil && (p.id == 0 || fi.Size() < to) {
		to = fi.Size()
	}
	r := newReading(f, beginning, max(to, headSize))
	for c := (Change{}); r.next(&c) == nil; {
	}
	return r
}

// loadTo reads up to a commit. The head is that of the commit, if h is nil. Only if
// all is right the State changes.
func (s *State) loadTo(f disk.File, p position, h *Head) error {
	n := State{fsys: s.fsys, name: s.name, loaded: true}
	// A head that promises more than the file can hold is not believed, nor is very
	// much. Most mailboxes grow.
	if h != nil {
		most := min(int64(h.Counts.Messages), p.end/putFixed, 1<<20)
		n.Entries = make([]Entry, 0, most+most/64+1)
	}
	r := newReading(f, beginning, p.end)
	for {
		var c Change
		err := r.next(&c)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if odd := n.apply(&c); odd > 0 {
			return damaged("it changes %d messages that it does not have", odd)
		}
	}
	if r.commit.named = p.named; r.commit != p {
		return damaged("its records are not those of its head")
	}
	if h == nil {
		h = &r.head
	}
	n.Apply(*h)
	if c := countsOf(n.Entries); c != n.Counts {
		return damaged("it counts %+v and has %+v", n.Counts, c)
	}
	if n.at = p; !h.covers(r.head) {
		return damaged("its head is behind its messages")
	}
	*s = n
	return nil
}
