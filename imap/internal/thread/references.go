package thread

import (
	"slices"
)

// References makes threads of what messages refer to, and of replies whose subject is
// that of another: REFERENCES of RFC 5256 section 3. The zero value has no messages.
type References struct {
	Expect int // how many messages there will be about; 0: not known

	slab  slab
	texts texts
	ids   map[string]*Thread
	all   []*Thread
	added int
	chain []string // of the message that is being added
}

// Bounds of what a sender can make of other people's threads.
const (
	maxReferences = 200    // of one message: of more, the first and the last
	maxAncestors  = 10_000 // that are looked at for a loop
	maxMissing    = 8      // for each message that is there; beyond, only the last reference counts
)

// Add takes a message: step 1 of the algorithm. Its strings are not kept.
func (r *References) Add(m *Message) {
	r.added++
	t := r.own(m.ID)
	t.Number, t.sent, t.subject = m.Number, m.Sent, r.texts.keep(m.Subject)
	var last *Thread
	for _, id := range r.references(m) {
		next := r.named(id)
		if last != nil && next.parent == nil {
			link(last, next)
		}
		last = next
	}
	if t.parent != last {
		t.leave()
		if last != nil {
			link(last, t)
		}
	}
}

// references are those of a message, not too many of them.
func (r *References) references(m *Message) []string {
	r.chain = r.chain[:0]
	if m.References == nil {
		return nil
	}
	for id := range m.References {
		r.chain = append(r.chain, id)
	}
	n := len(r.chain)
	switch {
	case n > 1 && len(r.all) > 10_000+maxMissing*r.added:
		return r.chain[n-1:]
	case n > maxReferences:
		r.chain = slices.Delete(r.chain, 1, n-maxReferences+1)
	}
	return r.chain
}

// own returns the thread of a message with an identifier, unless it is that of another.
func (r *References) own(id string) *Thread {
	if id != "" {
		if t := r.named(id); t.Number == 0 {
			return t
		}
	}
	return r.add()
}

// named returns the thread of the message with an identifier, which may yet come.
func (r *References) named(id string) *Thread {
	if t := r.ids[id]; t != nil {
		return t
	}
	if r.ids == nil {
		r.ids = make(map[string]*Thread, r.Expect)
	}
	t := r.add()
	r.ids[r.texts.keep(id)] = t
	return t
}

func (r *References) add() *Thread {
	t := r.slab.next()
	r.all = append(r.all, t)
	return t
}

// link makes t, which has no parent, a reply to parent, unless that makes a loop.
func link(parent, t *Thread) {
	if parent == t {
		return
	}
	if t.kids > 0 {
		n := 0
		for above := parent.parent; above != nil; above = above.parent {
			if n++; above == t || n > maxAncestors {
				return
			}
		}
	}
	t.parent = parent
	parent.kids++
}

func (t *Thread) leave() {
	if t.parent != nil {
		t.parent.kids--
		t.parent = nil
	}
}

// Threads returns the threads, in the order of their first messages. Nothing can be added
// then.
func (r *References) Threads() []*Thread {
	var roots []*Thread
	for _, t := range r.all { // step 2
		if t.parent == nil {
			roots = append(roots, t)
			continue
		}
		if t.parent.Replies == nil {
			t.parent.Replies = make([]*Thread, 0, t.parent.kids)
		}
		t.parent.Replies = append(t.parent.Replies, t)
	}
	roots = prune(roots)      // step 3
	for _, t := range roots { // step 4
		if t.missing() {
			sortBySent(t.Replies)
		}
	}
	sortBySent(roots)
	roots = r.merge(roots) // step 5
	sortAll(roots)         // step 6
	return roots
}

// prune takes out what is not there, from the leaves up: replies to it come in its place.
// Of several at the top the place of what they reply to stays.
func prune(roots []*Thread) []*Thread {
	order := slices.Clone(roots) // each before its replies
	for i := 0; i < len(order); i++ {
		order = append(order, order[i].Replies...)
	}
	for _, t := range slices.Backward(order) {
		t.Replies = splice(t.Replies)
	}
	kept := roots[:0]
	for _, t := range roots {
		switch {
		case t.Number != 0 || len(t.Replies) > 1:
			kept = append(kept, t)
		case len(t.Replies) == 1:
			kept = append(kept, t.Replies[0])
		}
	}
	return kept
}

// splice puts the replies to what is not there in its place.
func splice(threads []*Thread) []*Thread {
	if !slices.ContainsFunc(threads, (*Thread).missing) {
		return threads
	}
	var kept []*Thread
	for _, t := range threads {
		if t.missing() {
			kept = append(kept, t.Replies...)
		} else {
			kept = append(kept, t)
		}
	}
	return kept
}

// topic is what a thread is about.
type topic struct {
	base  string
	reply bool // its first message is a reply, or was forwarded
}

func (t *Thread) topic() topic {
	base, reply := BaseSubject(t.key().subject)
	return topic{Collate(base), reply}
}

// merge puts threads of the same subject together. The order of what it returns, and of
// new replies, is of no account.
func (r *References) merge(roots []*Thread) []*Thread {
	topics := make([]topic, len(roots))
	table := make(map[string]int, len(roots)) // steps A and B: which root stands for a subject
	for i, t := range roots {
		topics[i] = t.topic()
		base := topics[i].base
		if base == "" {
			continue
		}
		j, ok := table[base]
		if !ok || roots[j].Number != 0 && (t.Number == 0 || topics[j].reply && !topics[i].reply) {
			table[base] = i
		}
	}
	merged := make([]bool, len(roots)) // into another
	for i := range len(roots) {        // step C
		j, ok := table[topics[i].base]
		if !ok || j == i {
			continue
		}
		t, into := roots[i], roots[j]
		merged[i] = true
		switch {
		case into.Number == 0 && t.Number == 0:
			into.Replies = append(into.Replies, t.Replies...)
		case into.Number == 0 || topics[i].reply && !topics[j].reply:
			into.Replies = append(into.Replies, t)
		default:
			roots[j] = &Thread{Replies: []*Thread{into, t}}
		}
	}
	kept := roots[:0]
	for i, t := range roots {
		if !merged[i] {
			kept = append(kept, t)
		}
	}
	return kept
}
