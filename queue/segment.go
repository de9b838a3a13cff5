package queue

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/mailparts/mailparts/internal/disk"
)

// segment is a file of the log. FileSpool.mu guards end, live and sealed.
type segment struct {
	n      int64        // log/N.log
	end    int64        // of its last durable record
	live   int64        // octets of its puts that are not finished
	sealed bool         // ends at end, and has an index
	index  *indexWriter // of what was appended by this process; nil: the segment must be read for it
}

// maxIndex is how much of an index is gathered in memory.
const maxIndex = 4 << 20

// note adds a record that was appended to the index.
func (s *segment) note(f *found) {
	if s.index == nil {
		return
	}
	s.index.add(f)
	if len(s.index.b) > maxIndex {
		s.index = nil
	}
}

// appender writes records at the end of the newest segment, the head. A head is
// never opened again: a start begins a new one.
type appender struct {
	head   *segment // nil: the next write begins one
	f      disk.File
	size   int64 // what the head may grow to
	buf    []byte
	off    int64 // where buf goes
	zeroed int64 // what lies before it was written once
	err    error // of a write since the last sync
}

const (
	// bufferSize is how much is gathered for one write.
	bufferSize = 1 << 20
	// ahead is how much of the segment is written with zeros before it is used.
	// What Allocate reserves is marked as never written, and fdatasync has that
	// mark to change for each block at its first use: twice its time.
	ahead = 1 << 20
)

// fits reports whether n octets can be appended and leave reserve free.
func (l *appender) fits(n, reserve int64) bool {
	return l.head != nil && l.off+int64(len(l.buf))+n <= l.size-reserve
}

// append buffers w. What goes wrong, sync tells.
func (l *appender) append(w *write) place {
	at := place{l.head, uint32(l.off) + uint32(len(l.buf)), int32(len(w.line))}
	l.buf = append(l.buf, w.line...)
	if w.content != nil {
		l.buf = append(append(l.buf, w.content...), '\n')
	}
	if len(l.buf) >= bufferSize {
		l.write()
	}
	return at
}

func (l *appender) write() {
	n := int64(len(l.buf))
	if n == 0 {
		return
	}
	if l.err == nil {
		if end := l.off + n; end > l.zeroed {
			pad := min(ahead, l.size-end)
			l.buf = append(l.buf, make([]byte, pad)...)
			l.zeroed = end + pad
		}
		_, l.err = l.f.WriteAt(l.buf, l.off)
	}
	l.off += n
	if l.buf = l.buf[:0]; cap(l.buf) > 4*bufferSize {
		l.buf = nil
	}
}

// sync makes all that was appended durable, or takes it back.
//
// A full disk leaves the head usable. After any other failure it is given up
// with what it held before: an fdatasync that fails may have dropped the octets,
// and the next one, which succeeds, says nothing of them.
func (l *appender) sync() error {
	l.write()
	if l.err != nil {
		err := l.err
		l.off, l.err = l.head.end, nil
		l.zeroed = math.MaxInt64
		if l.f.Truncate(l.off) != nil || !disk.IsFull(err) {
			l.retire()
		}
		return err
	}
	if err := l.f.Datasync(); err != nil {
		l.f.Truncate(l.head.end)
		l.retire()
		return err
	}
	return nil
}

// retire ends the head. Sealing it is left to tidy.
func (l *appender) retire() {
	if l.f != nil {
		l.f.Close()
	}
	*l = appender{buf: l.buf[:0]}
}

// rotate begins a segment that has room for n octets. After an error the head is
// what it was.
func (s *FileSpool) rotate(n int64) error {
	s.mu.Lock()
	s.last++
	seg := &segment{n: s.last, index: new(indexWriter)}
	s.mu.Unlock()
	size := max(s.segment, n+s.reserve())
	f, err := s.create(s.logFile(seg.n), size)
	if err != nil {
		return full(fmt.Errorf("queue: new segment: %w", err))
	}
	s.log.retire()
	s.log.head, s.log.f, s.log.size, s.log.off, s.log.zeroed = seg, f, size, 0, 0
	s.mu.Lock()
	s.segments = append(s.segments, seg)
	s.mu.Unlock()
	return nil
}

// create makes a file of size zeros and its name durable.
func (s *FileSpool) create(name string, size int64) (disk.File, error) {
	f, err := s.fsys.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	err = f.Allocate(size)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.fsys.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		f.Close()
		s.fsys.Remove(name)
		return nil, err
	}
	return f, nil
}
