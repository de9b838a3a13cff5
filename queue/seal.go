package queue

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mailparts/mailparts/internal/disk"
)

// survey is what a segment holds.
type survey struct {
	index  []byte
	end    int64 // of the last record
	broken []span
	tail   span // behind end
	torn   bool // tail is a write that a crash cut short, as far as can be told
}

// survey reads the first size octets of seg and yields its records, if anybody
// wants them.
func (s *FileSpool) survey(seg *segment, size int64, yield func(*found)) (*survey, error) {
	f, err := s.fsys.OpenFile(s.logFile(seg.n), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v := &survey{}
	sc := newScanner(f, size, s.mark)
	var index indexWriter
	for {
		rec, err := sc.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		index.add(rec)
		if yield != nil {
			yield(rec)
		}
		v.end = rec.end()
	}
	v.index, v.broken, v.tail = index.bytes(v.end), sc.broken, sc.tail
	return v, nil
}

// seal ends a segment that is no longer written to.
func (s *FileSpool) seal(seg *segment) error {
	if seg.index != nil {
		return s.finish(seg, &survey{index: seg.index.bytes(seg.end), end: seg.end})
	}
	v, err := s.survey(seg, seg.end, nil)
	if err != nil {
		return err
	}
	if v.tail.size > 0 {
		v.broken = append(v.broken, v.tail)
	}
	return s.finish(seg, v)
}

// finish copies what is broken to bad/, cuts what lies behind the last record,
// and writes the index. Done again, it does the same.
func (s *FileSpool) finish(seg *segment, v *survey) error {
	f, err := s.fsys.OpenFile(s.logFile(seg.n), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.quarantine(seg, f, v.broken); err != nil {
		return err
	}
	if v.torn {
		if err := s.keepTorn(seg, f, v.tail); err != nil {
			return err
		}
	}
	if err := f.Truncate(v.end); err != nil { // not synced: what comes back, the index does not cover
		return err
	}
	if err := disk.WriteFile(s.fsys, s.idxFile(seg.n), v.index, 0o600); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.sealed, seg.index = true, nil
	s.total -= seg.end - v.end
	seg.end = v.end
	return nil
}

// quarantine copies ranges of seg to bad/, durably, and logs them.
func (s *FileSpool) quarantine(seg *segment, f disk.File, ranges []span) error {
	for _, r := range ranges {
		name := s.badFile(fmt.Sprintf("%d.log.%d", seg.n, r.at))
		if err := s.copyRange(name, io.NewSectionReader(f, r.at, r.size)); err != nil {
			return err
		}
		s.logger().Error("queue log is broken", "segment", seg.n, "offset", r.at, "size", r.size, "copy", name)
	}
	return nil
}

// keepTorn copies the tail of the newest segment to bad/ before it is cut.
// Mostly it is what a crash left of a write that nobody was told of, but a record
// that rots there looks the same.
func (s *FileSpool) keepTorn(seg *segment, f disk.File, r span) error {
	name := s.badFile(fmt.Sprintf("%d.log.%d.torn", seg.n, r.at))
	return s.copyRange(name, io.NewSectionReader(f, r.at, r.size))
}

func (s *FileSpool) copyRange(name string, r io.Reader) error {
	f, err := s.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return s.fsys.SyncDir(filepath.Dir(name))
}
