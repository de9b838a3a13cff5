package thread

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Message is what threads are made of.
type Message struct {
	Number     uint32           // what it is called, not 0; ties of Date are broken by it
	Sent       int64            // in seconds since any time
	Subject    string           // as it is in the header
	ID         string           // of the message, normalised; empty: none
	References iter.Seq[string] // the same of those before it, the oldest first; nil: none
}

// Thread is a message and the replies to it.
type Thread struct {
	Number  uint32 // of the Message; 0: it is not there, but there are several replies to it
	Replies []*Thread

	sent    int64
	subject string // of References as it is in the header, of Ordered what is compared
	parent  *Thread
	kids    int // whose parent it is
}

// slab makes Threads, many at a time.
type slab struct{ free []Thread }

func (s *slab) next() *Thread {
	if len(s.free) == 0 {
		s.free = make([]Thread, 512)
	}
	t := &s.free[0]
	s.free = s.free[1:]
	return t
}

// texts keeps strings, many in one piece of memory.
type texts struct{ b strings.Builder }

// keep returns a copy of s.
func (t *texts) keep(s string) string {
	if t.b.Cap()-t.b.Len() < len(s) {
		room := min(max(2*t.b.Cap(), 1<<10), 64<<10)
		t.b.Reset()
		t.b.Grow(max(room, len(s)))
	}
	from := t.b.Len()
	t.b.WriteString(s)
	return t.b.String()[from:]
}

// missing reports whether there is no message.
func (t *Thread) missing() bool { return t.Number == 0 }

// key is the message that a thread is sorted by: its own, or the first of the replies to
// what is not there.
func (t *Thread) key() *Thread {
	if t.missing() && len(t.Replies) > 0 {
		return t.Replies[0]
	}
	return t
}

// sortBySent sorts siblings, whose own replies are sorted.
func sortBySent(threads []*Thread) {
	if len(threads) < 2 {
		return
	}
	slices.SortFunc(threads, func(a, b *Thread) int {
		a, b = a.key(), b.key()
		return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.Number, b.Number))
	})
}

// sortAll sorts siblings after all that is below them.
func sortAll(threads []*Thread) {
	for _, t := range threads {
		for ; len(t.Replies) == 1; t = t.Replies[0] { // no level of the stack for each of a chain
		}
		sortAll(t.Replies)
	}
	sortBySent(threads)
}
