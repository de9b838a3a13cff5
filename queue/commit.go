package queue

import (
	"errors"
	"fmt"

	"github.com/mailparts/mailparts/internal/disk"
)

// write is a record on its way into the log.
type write struct {
	*record
	line    []byte
	content []byte // that follows the line; nil: none
	put     bool
	apply   func(place) // brings memory up to date once the record is durable, with mu held

	at  place
	err error
}

func (w *write) size() int64 {
	n := int64(len(w.line))
	if w.content != nil {
		n += int64(len(w.content)) + 1
	}
	return n
}

// batch is what one fdatasync makes durable. While one is written the next
// gathers; then any of its writers goes on with it, for all of them.
type batch struct {
	writes  []*write
	flushed bool // guarded by turn
	done    chan struct{}
}

// commit returns when writes, side by side in the log, are durable and applied,
// or with the error of the first that is not.
func (s *FileSpool) commit(writes ...*write) error {
	b, err := s.join(writes)
	if err != nil {
		return err
	}
	select {
	case <-b.done:
	case s.turn <- struct{}{}:
		if !b.flushed {
			s.flush(b)
		}
		<-s.turn
	}
	for _, w := range writes {
		if w.err != nil {
			return w.err
		}
	}
	return nil
}

func (s *FileSpool) join(writes []*write) (*batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.open == nil {
		s.open = &batch{done: make(chan struct{})}
	}
	s.open.writes = append(s.open.writes, writes...)
	return s.open, nil
}

// flush writes the open batch. The caller has the turn.
func (s *FileSpool) flush(b *batch) {
	s.mu.Lock()
	s.open = nil
	s.mu.Unlock()
	s.write(b.writes)
	b.flushed = true
	close(b.done)
}

// write writes in order, and syncs once if one segment has room for all.
func (s *FileSpool) write(writes []*write) {
	var part []*write
	for _, w := range writes {
		n := w.size()
		if !s.log.fits(n, s.reserve()) {
			s.sync(part)
			part = nil
			// With no room for another segment Saves may use the last of this
			// one: they are what makes room.
			if err := s.rotate(n); err != nil && (w.put || !s.log.fits(n, 0)) {
				w.err = err
				continue
			}
		}
		w.at = s.log.append(w)
		part = append(part, w)
	}
	s.sync(part)
}

// sync makes durable what was appended, and applies it.
func (s *FileSpool) sync(part []*write) {
	if len(part) == 0 {
		return
	}
	head := s.log.head
	err := s.log.sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range part {
		if w.err = full(err); err == nil {
			w.apply(w.at)
			head.note(&found{w.record, int64(w.at.off), w.at.line})
		}
	}
	if err == nil {
		s.total += s.log.off - head.end
		head.end = s.log.off
	}
}

// reserve is how much of a segment is kept for Saves while the disk is full.
func (s *FileSpool) reserve() int64 { return s.segment / 16 }

// full makes ErrFull of what the system says of a full disk.
func full(err error) error {
	if disk.IsFull(err) && !errors.Is(err, ErrFull) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
