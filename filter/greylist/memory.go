package greylist

import (
	"cmp"
	"container/list"
	"context"
	"iter"
	"sync"
	"time"
)

const defaultMax = 100_000

// Memory is a Store in memory. The zero value is ready for use. It must not be
// copied after first use.
type Memory struct {
	// Max is how many Records it keeps, of some 300 octets each. If there are more,
	// the oldest of those that have not passed is forgotten first. 0: 100000.
	Max int

	mu     sync.Mutex
	items  map[string]*list.Element // of an item, in one of the lists
	fresh  list.List                // have not passed; those that end first are in front
	passed list.List                // likewise
}

type item struct {
	key string
	Record
}

// Update implements Store.
func (m *Memory) Update(_ context.Context, key string, change func(Record) Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	e := m.items[key]
	var old Record
	if e != nil {
		if old = e.Value.(*item).Record; !now.Before(old.Ends) {
			m.remove(e)
			e, old = nil, Record{}
		}
	}
	r := change(old)
	if r == old {
		return nil
	}
	if e != nil {
		m.remove(e)
	}
	if now.Before(r.Ends) {
		m.makeRoom(now)
		m.add(item{key, r})
	}
	return nil
}

func (m *Memory) add(it item) {
	if m.items == nil {
		m.items = map[string]*list.Element{}
	}
	m.items[it.key] = m.list(it.Record).PushBack(&it)
}

func (m *Memory) remove(e *list.Element) {
	it := e.Value.(*item)
	m.list(it.Record).Remove(e)
	delete(m.items, it.key)
}

func (m *Memory) list(r Record) *list.List {
	if r.Passes > 0 {
		return &m.passed
	}
	return &m.fresh
}

// makeRoom drops what has ended, a little at a time, and then what must go for one
// more to have room.
func (m *Memory) makeRoom(now time.Time) {
	for _, l := range []*list.List{&m.fresh, &m.passed} {
		for range 2 {
			if e := l.Front(); e != nil && !now.Before(e.Value.(*item).Ends) {
				m.remove(e)
			}
		}
	}
	for len(m.items) >= cmp.Or(max(m.Max, 0), defaultMax) {
		e := m.fresh.Front()
		if e == nil {
			e = m.passed.Front()
		}
		m.remove(e)
	}
}

func (m *Memory) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items)
}

// all yields the Records in an order in which they can be put in again. Nothing
// may be called on m meanwhile.
func (m *Memory) all() iter.Seq2[string, Record] {
	return func(yield func(string, Record) bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, l := range []*list.List{&m.passed, &m.fresh} {
			for e := l.Front(); e != nil; e = e.Next() {
				if it := e.Value.(*item); !yield(it.key, it.Record) {
					return
				}
			}
		}
	}
}
