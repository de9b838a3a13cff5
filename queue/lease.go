package queue

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"time"
)

// Next implements Spool. An entry that cannot be read is logged and left alone:
// it must not keep the others.
func (s *FileSpool) Next(ctx context.Context, q Query) ([]*Entry, time.Time, error) {
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, err
	}
	for {
		items, next, err := s.lease(q)
		if err != nil || len(items) == 0 {
			return nil, next, err
		}
		var entries []*Entry
		for _, it := range items {
			e, err := s.read(it)
			if err != nil {
				defer s.setAside(it, err) // not to meet it again in this loop
				continue
			}
			entries = append(entries, e)
		}
		if len(entries) > 0 {
			return entries, time.Time{}, nil
		}
	}
}

func (s *FileSpool) lease(q Query) ([]*item, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, time.Time{}, errClosed
	}
	items, next := s.schedule.take(q.Now, q.Max, q.Skip)
	for _, it := range items {
		it.lease = true
	}
	return items, next, nil
}

// setAside ends the lease of an entry that cannot be read: for good if its line
// is broken, for a while if the system could not.
func (s *FileSpool) setAside(it *item, err error) {
	s.logger().Error("queue entry cannot be read", "id", it.id, "err", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items[it.id] != it {
		return // forgotten meanwhile: broken
	}
	it.lease = false
	it.aside = errors.Is(err, errLine) || errors.Is(err, io.ErrUnexpectedEOF)
	it.due = max(it.due, time.Now().Add(time.Minute).UnixMicro())
	s.schedule.add(it)
}

// Lease implements Spool.
func (s *FileSpool) Lease(ctx context.Context, id string) (*Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	it, err := s.leaseOne(id)
	if err != nil {
		return nil, err
	}
	e, err := s.read(it)
	if err != nil {
		s.setAside(it, err)
		return nil, err
	}
	return e, nil
}

func (s *FileSpool) leaseOne(id string) (*item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	switch {
	case s.closed:
		return nil, errClosed
	case it == nil:
		return nil, ErrNoEntry
	case it.lease:
		return nil, ErrLeased
	}
	s.schedule.remove(it)
	it.lease, it.aside = true, false
	return it, nil
}

// Save implements Spool.
func (s *FileSpool) Save(ctx context.Context, e *Entry) error {
	it, err := s.saving(e.ID)
	if err != nil {
		return err
	}
	var done *message
	s.moving.RLock()
	if len(e.Env.To) == 0 {
		done, err = s.end(it)
	} else {
		err = s.set(it, e)
	}
	s.moving.RUnlock()
	if err != nil {
		s.mu.Lock()
		it.saving = false
		s.mu.Unlock()
		return err
	}
	if done != nil && done.big != "" {
		s.fsys.Remove(s.bigFile(done.big)) // or the next start does it
	}
	s.tidy(true)
	return nil
}

// saving returns the item of a leased entry, for one Save at a time.
func (s *FileSpool) saving(id string) (*item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	switch {
	case s.closed:
		return nil, errClosed
	case it == nil || !it.lease || it.saving:
		return nil, ErrLeased
	}
	it.saving = true
	return it, nil
}

func (s *FileSpool) set(it *item, e *Entry) error {
	state := newEntry(e)
	rec := &record{Set: &state}
	line, err := appendLine(nil, s.mark, rec)
	if err != nil {
		return err
	}
	return s.commit(&write{record: rec, line: line, apply: func(at place) {
		if s.items[it.id] != it {
			return // forgotten: broken
		}
		it.lease, it.saving = false, false
		s.update(it, e.Dest, e.Due.UnixMicro(), e.Held, at)
	}})
}

// end finishes it, and returns its message if that was the last entry.
func (s *FileSpool) end(it *item) (done *message, err error) {
	rec := &record{End: it.id}
	line, err := appendLine(nil, s.mark, rec)
	if err != nil {
		return nil, err
	}
	err = s.commit(&write{record: rec, line: line, apply: func(place) {
		if s.items[it.id] == it && s.remove(it) {
			done = it.msg
		}
	}})
	return done, err
}

// remove forgets it and reports whether its message has no other.
func (s *FileSpool) remove(it *item) bool {
	delete(s.items, it.id)
	s.schedule.leave(it)
	return s.release(it.msg)
}

// All implements Spool.
func (s *FileSpool) All(ctx context.Context) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		items, err := s.inOrder()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, it := range items {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			e, err := s.read(it)
			if errors.Is(err, ErrNoEntry) {
				continue // finished meanwhile
			}
			if !yield(e, err) || errors.Is(err, fs.ErrClosed) {
				return
			}
		}
	}
}

// inOrder returns all items as they stand in the log.
func (s *FileSpool) inOrder() ([]*item, error) {
	type position struct {
		it  *item
		n   int64
		off uint32
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	all := make([]position, 0, len(s.items))
	for _, it := range s.items {
		all = append(all, position{it, it.state.seg.n, it.state.off})
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b position) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.off, b.off)) })
	items := make([]*item, len(all))
	for i, p := range all {
		items[i] = p.it
	}
	return items, nil
}
