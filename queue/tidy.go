package queue

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// tidy does at most one piece of work that keeps the log short: it drops the
// oldest segment if all in it is finished, or seals one that is full, or, if
// move, moves what is left of the oldest. Who calls pays, one at a time: there is
// no goroutine to stop.
func (s *FileSpool) tidy(move bool) {
	if !s.tidying.TryLock() {
		return
	}
	defer s.tidying.Unlock()
	work, seg := s.work(move)
	if work == nil {
		return
	}
	if err := work(seg); err != nil && !errors.Is(err, fs.ErrClosed) {
		s.logger().Error("queue log cannot be tidied", "segment", seg.n, "err", err)
		s.mu.Lock()
		s.rest = time.Now().Add(10 * time.Second)
		s.mu.Unlock()
	}
}

func (s *FileSpool) work(move bool) (func(*segment) error, *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.segments) < 2 || !s.rest.IsZero() && time.Now().Before(s.rest) {
		return nil, nil
	}
	old := s.segments[:len(s.segments)-1] // the newest is being written
	if old[0].live == 0 {
		return s.drop, old[0]
	}
	for _, seg := range slices.Backward(old) {
		if seg.sealed {
			break
		}
		return s.seal, seg
	}
	// What lies behind the oldest cannot go before it, finished or not: it may
	// hold the ends of what the oldest put. So the log has at most about twice
	// what is live, and each octet is moved for one that was freed.
	if move && s.total > 2*s.live+2*s.segment {
		return s.move, old[0]
	}
	return nil, nil
}

// tidyAll drops what it can and seals the rest, for Close.
func (s *FileSpool) tidyAll() error {
	if err := s.dropFinished(); err != nil {
		return err
	}
	for _, seg := range s.segments {
		if !seg.sealed {
			if err := s.seal(seg); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropFinished drops segments while all in the oldest is finished. None of them
// may be the head.
func (s *FileSpool) dropFinished() error {
	for len(s.segments) > 0 && s.segments[0].live == 0 {
		if err := s.drop(s.segments[0]); err != nil {
			return err
		}
	}
	return nil
}

// drop unlinks the oldest segment. It must not come back after a crash when the
// ends of its entries, in later segments, are gone: so none of those is dropped
// before its folder is synced.
func (s *FileSpool) drop(seg *segment) error {
	for _, name := range []string{s.logFile(seg.n), s.idxFile(seg.n)} {
		if err := s.fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := s.fsys.SyncDir(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = slices.Delete(s.segments, 0, 1)
	s.total -= seg.end
	return nil
}
