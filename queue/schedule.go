package queue

import (
	"container/heap"
	"strings"
	"time"
)

// item is what memory holds of an entry; the Entry itself stays on disk. A
// million of them take some 200 MB.
type item struct {
	id     string
	dest   *dest
	msg    *message
	due    int64 // in microseconds of Unix time
	state  place // of the line that holds the Entry
	slot   int32 // in dest.due, or notDue
	held   bool
	lease  bool
	saving bool
	aside  bool // its line is broken: left alone
}

const notDue = -1

// message is content that items share, and the record that put it.
type message struct {
	at    place
	size  int64  // of the content
	big   string // file in big/, "": the content follows the line
	sum   uint32 // of the content
	items int32  // not finished
}

// octets returns how many of its segment the record takes.
func (m *message) octets() int64 {
	n := int64(m.at.line)
	if m.big == "" {
		n += m.size + 1
	}
	return n
}

// place is where a line stands. A segment has less than 4 GB.
type place struct {
	seg  *segment
	off  uint32
	line int32 // octets, with its LF
}

// dest is a destination that has entries.
type dest struct {
	name  string
	items int
	due   dueHeap // those neither held nor leased
	slot  int     // in schedule.ready, while due is not empty
}

// schedule orders what is due by time, and by destination, so that those with
// no free slot are passed over as one.
type schedule struct {
	dests map[string]*dest
	ready destHeap
}

// join makes it an item of the destination name.
func (s *schedule) join(it *item, name string) {
	if it.dest != nil && it.dest.name == name {
		return
	}
	s.leave(it)
	d := s.dests[name]
	if d == nil {
		d = &dest{name: strings.Clone(name)} // not the text that it is part of
		s.dests[d.name] = d
	}
	d.items++
	it.dest = d
}

// leave ends that. A destination without items is forgotten.
func (s *schedule) leave(it *item) {
	s.remove(it)
	if d := it.dest; d != nil {
		it.dest = nil
		if d.items--; d.items == 0 {
			delete(s.dests, d.name)
		}
	}
}

// add puts it among those that wait for their time, if it may be tried at all.
func (s *schedule) add(it *item) {
	s.remove(it)
	if it.held || it.lease || it.aside {
		return
	}
	d := it.dest
	heap.Push(&d.due, it)
	if len(d.due) == 1 {
		heap.Push(&s.ready, d)
	} else {
		heap.Fix(&s.ready, d.slot)
	}
}

func (s *schedule) remove(it *item) {
	if it.slot == notDue {
		return
	}
	d := it.dest
	heap.Remove(&d.due, int(it.slot))
	if len(d.due) == 0 {
		heap.Remove(&s.ready, d.slot)
	} else {
		heap.Fix(&s.ready, d.slot)
	}
}

// take removes up to n items that are due, earliest first, of destinations that
// skip does not name. If it finds none, next is when one will be.
func (s *schedule) take(now time.Time, n int, skip func(dest string) bool) (items []*item, next time.Time) {
	var aside []*dest
	for len(items) < n && len(s.ready) > 0 {
		d := s.ready[0]
		it := d.due[0]
		if it.due > now.UnixMicro() {
			next = time.UnixMicro(it.due)
			break
		}
		if skip != nil && skip(d.name) {
			aside = append(aside, heap.Pop(&s.ready).(*dest))
			continue
		}
		s.remove(it)
		items = append(items, it)
	}
	for _, d := range aside {
		heap.Push(&s.ready, d)
	}
	if len(items) > 0 {
		return items, time.Time{}
	}
	return nil, next
}

// dueHeap has the earliest item first.
type dueHeap []*item

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = int32(i), int32(j)
}

func (h *dueHeap) Push(x any) {
	it := x.(*item)
	it.slot = int32(len(*h))
	*h = append(*h, it)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	it.slot = notDue
	return it
}

// destHeap has the destination with the earliest item first.
type destHeap []*dest

func (h destHeap) Len() int           { return len(h) }
func (h destHeap) Less(i, j int) bool { return h[i].due[0].due < h[j].due[0].due }
func (h destHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = i, j
}

func (h *destHeap) Push(x any) {
	d := x.(*dest)
	d.slot = len(*h)
	*h = append(*h, d)
}

func (h *destHeap) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return d
}
