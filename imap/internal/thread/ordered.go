package thread

import (
	"cmp"
	"slices"
)

// Ordered makes threads of messages with the same base subject: ORDEREDSUBJECT of RFC
// 5256 section 3. The zero value has no messages.
type Ordered struct {
	slab  slab
	texts texts
	all   []*Thread
}

// Add takes a message. Its strings are not kept.
func (o *Ordered) Add(m *Message) {
	t := o.slab.next()
	base, _ := BaseSubject(m.Subject)
	t.Number, t.sent, t.subject = m.Number, m.Sent, o.texts.keep(Collate(base))
	o.all = append(o.all, t)
}

// Threads returns the threads, in the order of their first messages. Nothing can be added
// then.
func (o *Ordered) Threads() (threads []*Thread) {
	slices.SortFunc(o.all, func(a, b *Thread) int {
		return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.sent, b.sent), cmp.Compare(a.Number, b.Number))
	})
	var last *Thread
	for _, t := range o.all {
		if last == nil || last.subject != t.subject {
			last = t
			threads = append(threads, t)
			continue
		}
		last.Replies = append(last.Replies, t)
	}
	sortBySent(threads)
	return threads
}
