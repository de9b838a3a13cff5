package queue

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/mailparts/mailparts/internal/disk"
)

// move writes what is live in the oldest segment again at the head, as its
// entries are now, and drops the segment.
func (s *FileSpool) move(seg *segment) error {
	f, err := s.fsys.OpenFile(s.logFile(seg.n), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := newScanner(f, seg.end, s.mark)
	var some []*found
	size := int64(0)
	for {
		rec, err := sc.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if !s.isLive(rec, seg) {
			continue
		}
		some = append(some, rec)
		if size += rec.end() - rec.at; size >= bufferSize {
			if err := s.moveSome(seg, f, some); err != nil {
				return err
			}
			some, size = nil, 0
		}
	}
	if err := s.moveSome(seg, f, some); err != nil {
		return err
	}
	broken := sc.broken
	if sc.tail.size > 0 {
		broken = append(broken, sc.tail)
	}
	if err := s.quarantine(seg, f, broken); err != nil {
		return err
	}
	if err := s.forget(seg); err != nil {
		return err
	}
	return s.drop(seg)
}

// isLive reports whether rec is a put with entries that are not finished, and no
// later copy.
func (s *FileSpool) isLive(rec *found, seg *segment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := rec.place(seg)
	return slices.ContainsFunc(rec.Put, func(e entry) bool {
		it := s.items[e.ID]
		return it != nil && it.msg.at == at
	})
}

// moveSome moves messages in one commit. No Save is under way meanwhile, so no
// state changes between the look at it and the record that replaces it.
func (s *FileSpool) moveSome(seg *segment, f disk.File, some []*found) error {
	s.moving.Lock()
	defer s.moving.Unlock()
	var writes []*write
	for _, rec := range some {
		w, err := s.rewrite(seg, f, rec)
		if err != nil {
			return err
		}
		if w != nil {
			writes = append(writes, w)
		}
	}
	if len(writes) == 0 {
		return nil
	}
	return s.commit(writes...)
}

// rewrite is rec as it stands now, or nil if all of it is finished.
func (s *FileSpool) rewrite(seg *segment, f disk.File, rec *found) (*write, error) {
	at := rec.place(seg)
	now := &record{Size: rec.Size, Sum: rec.Sum, Big: rec.Big}
	for _, e := range rec.Put {
		state, live := s.stateOf(e.ID, at)
		if !live {
			continue
		}
		if state != at {
			r, err := s.record(state)
			if err != nil && !errors.Is(err, errLine) {
				return nil, err
			}
			if err == nil && r.find(e.ID) != nil { // else what was put is better than nothing
				e = *r.find(e.ID)
			}
		}
		now.Put = append(now.Put, e)
	}
	if now.Put == nil {
		return nil, nil
	}
	w := &write{record: now, put: true, apply: func(at place) { s.insert(now, at) }}
	if rec.Big == "" {
		w.content = make([]byte, rec.Size)
		if n, err := f.ReadAt(w.content, rec.content()); n < len(w.content) {
			return nil, unexpected(err)
		}
	}
	var err error
	w.line, err = appendLine(nil, s.mark, now)
	return w, err
}

// stateOf returns where the state of an entry is, if its message is the one at at.
func (s *FileSpool) stateOf(id string, at place) (state place, live bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	if it == nil || it.msg.at != at {
		return place{}, false
	}
	return it.state, true
}

// forget ends the entries that could not be moved because their record is broken:
// it is in bad/, and so goes the content that is a file.
func (s *FileSpool) forget(seg *segment) error {
	s.mu.Lock()
	var lost []*item
	for _, it := range s.items {
		if it.msg.at.seg == seg {
			lost = append(lost, it)
		}
	}
	s.mu.Unlock()
	for _, it := range lost {
		if big := it.msg.big; big != "" {
			if err := s.fsys.Rename(s.bigFile(big), s.badFile(big)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		s.logger().Error("queue entry is lost, see the folder bad", "id", it.id)
		s.mu.Lock()
		if s.items[it.id] == it {
			s.remove(it)
		}
		s.mu.Unlock()
	}
	return nil
}
