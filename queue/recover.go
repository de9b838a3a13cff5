package queue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts/internal/disk"
)

// Recovery is what Open found that a clean stop does not leave.
type Recovery struct {
	Torn    int64    // octets of a write that was not finished, moved to bad/*.torn: nobody was told that it was
	Orphans int      // contents in big/ that nothing refers to, unlinked, or in bad/ if anything is broken or torn
	Broken  []Broken // what should be readable and is not
}

// Broken is a range of log/SEGMENT.log that holds no readable record. It has
// been copied to bad/SEGMENT.log.OFFSET.
type Broken struct {
	Segment, Offset, Size int64
}

// Recovery says what Open found. Queue.Run logs it.
func (s *FileSpool) Recovery() Recovery { return s.recovery }

// load brings memory up to what the disk has, and the disk in order.
func (s *FileSpool) load() error {
	for _, name := range []string{"log", "big", "bad"} {
		if err := disk.MkdirAll(s.fsys, filepath.Join(s.dir, name), 0o700); err != nil {
			return err
		}
	}
	segments, err := s.listLog()
	if err != nil {
		return err
	}
	if err := s.loadMark(len(segments) == 0); err != nil {
		return err
	}
	for i, n := range segments {
		s.last = n
		if err := s.loadSegment(n, i == len(segments)-1); err != nil {
			return err
		}
	}
	if err := s.sweepBig(); err != nil {
		return err
	}
	return s.dropFinished()
}

// listLog returns the numbers of the segments in order, and removes what a crash
// left beside them.
func (s *FileSpool) listLog() ([]int64, error) {
	dir := filepath.Join(s.dir, "log")
	names, err := s.fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segments []int64
	for _, name := range names {
		base, isLog := strings.CutSuffix(name, ".log")
		if n, err := strconv.ParseInt(base, 10, 64); isLog && err == nil && n > 0 {
			segments = append(segments, n)
		}
	}
	slices.Sort(segments)
	for _, name := range names {
		base, _, _ := strings.Cut(name, ".idx") // and .idx.tmp
		n, err := strconv.ParseInt(base, 10, 64)
		_, has := slices.BinarySearch(segments, n)
		if err == nil && (!has || strings.HasSuffix(name, ".tmp")) {
			if err := s.fsys.Remove(filepath.Join(dir, name)); err != nil {
				return nil, err
			}
		}
	}
	return segments, nil
}

// loadMark reads the word that begins every record, or makes one for a spool that
// has no segment yet.
func (s *FileSpool) loadMark(empty bool) error {
	name := filepath.Join(s.dir, "mark")
	b, err := disk.ReadFile(s.fsys, name)
	if errors.Is(err, fs.ErrNotExist) && empty {
		b = []byte(rand.Text()[:markSize] + "\n")
		err = disk.WriteFile(s.fsys, name, b, 0o600)
	}
	if err != nil {
		return err
	}
	s.mark = strings.TrimSuffix(string(b), "\n")
	if len(s.mark) != markSize || strings.ContainsAny(s.mark, " \n") {
		return fmt.Errorf("%s is broken: it must hold the first word of the files in log/", name)
	}
	if !empty {
		return nil
	}
	// Whoever made the folders and the mark may have died before their names
	// were durable.
	if err := s.fsys.SyncDir(s.dir); err != nil {
		return err
	}
	return s.fsys.SyncDir(filepath.Dir(s.dir))
}

// loadSegment takes the records of log/N.log into memory.
func (s *FileSpool) loadSegment(n int64, newest bool) error {
	fi, err := s.fsys.Stat(s.logFile(n))
	if err != nil {
		return err
	}
	if fi.Size() > math.MaxUint32 {
		return fmt.Errorf("%s is too large", s.logFile(n))
	}
	seg := &segment{n: n}
	replay := func(f *found) { s.replay(f, seg) }
	seg.end, err = readIndex(s.fsys, s.idxFile(n), fi.Size(), replay)
	seg.sealed = err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errIndex) {
		return err
	}
	if !seg.sealed {
		v, err := s.survey(seg, fi.Size(), replay)
		if err != nil {
			return err
		}
		seg.end = v.end
		if v.tail.size > 0 && !newest { // it was synced long ago
			v.broken = append(v.broken, v.tail)
			v.tail.size = 0
		}
		v.torn = v.tail.size > 0
		s.recovery.Torn += v.tail.size
		for _, b := range v.broken {
			s.recovery.Broken = append(s.recovery.Broken, Broken{n, b.at, b.size})
		}
		if err := s.finish(seg, v); err != nil && !disk.IsFull(err) { // full: tidy seals it later
			return err
		}
	}
	s.segments = append(s.segments, seg)
	s.total += seg.end
	return nil
}

// replay does what a record says.
func (s *FileSpool) replay(f *found, seg *segment) {
	at := f.place(seg)
	switch {
	case f.Put != nil:
		s.insert(f.record, at)
	case f.Set != nil:
		if it := s.items[f.Set.ID]; it != nil {
			s.update(it, f.Set.Dest, f.Set.Due.UnixMicro(), f.Set.Held, at)
		}
	default:
		if it := s.items[f.End]; it != nil {
			s.remove(it)
		}
	}
}

// sweepBig removes the contents that have no message. If records are broken, torn
// or gone altogether they may be the contents of those, and go to bad/.
func (s *FileSpool) sweepBig() error {
	keep := len(s.recovery.Broken) > 0 || s.recovery.Torn > 0 || len(s.segments) == 0
	names, err := s.fsys.ReadDir(filepath.Join(s.dir, "big"))
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, it := range s.items {
		used[it.msg.big] = true
	}
	for _, name := range names {
		if used[name] {
			continue
		}
		if keep {
			err = s.fsys.Rename(s.bigFile(name), s.badFile(name))
		} else {
			err = s.fsys.Remove(s.bigFile(name))
		}
		if err != nil {
			return err
		}
		s.recovery.Orphans++
	}
	return nil
}
