package queue

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// FileSpool is a Spool on the file system: the log with group commit that the
// package comment describes. It belongs to one process, and its leases last
// until Save or the end of the process.
type FileSpool struct {
	// Logger is told what goes wrong where no caller can be: broken ranges,
	// segments that cannot be tidied away. nil: discard. Set it before use.
	Logger *slog.Logger

	fsys     disk.FS
	dir      string
	mark     string
	lock     io.Closer
	segment  int64 // octets of a new segment
	inline   int64 // the most content that stands in the log
	recovery Recovery

	turn    chan struct{} // held by who writes to the log: it guards log and batch.flushed
	log     appender
	tidying sync.Mutex   // held by who seals, moves and drops segments
	moving  sync.RWMutex // a Save holds it for reading, so that no state changes while it is moved

	parsed parsed

	mu       sync.Mutex // guards what follows, and is never held during input or output
	closed   bool
	open     *batch // takes writes, for who is next to write to the log
	items    map[string]*item
	arriving map[string]chan struct{} // IDs being Put; closed when that is over
	schedule schedule
	segments []*segment // the oldest first
	last     int64      // number of the newest segment there ever was
	total    int64      // octets of all segments
	live     int64      // those of puts that are not finished
	rest     time.Time  // no tidying before, after it failed
}

// segmentSize is what a segment is allocated at, and about its size when sealed.
const segmentSize = 64 << 20

var errClosed = fmt.Errorf("queue: spool: %w", fs.ErrClosed)

// Open opens the spool in the folder dir, making it if need be, and recovers
// what a crash left: see the table in the package comment. It fails while another
// process has the folder open, or this one.
func Open(dir string) (*FileSpool, error) {
	return open(disk.OS{}, dir, segmentSize, maxInline)
}

func open(fsys disk.FS, dir string, segment, inline int64) (*FileSpool, error) {
	if err := disk.MkdirAll(fsys, dir, 0o700); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	lock, err := fsys.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("queue: %s: %w", dir, err)
	}
	s := &FileSpool{
		fsys: fsys, dir: dir, lock: lock, segment: segment, inline: inline,
		turn:     make(chan struct{}, 1),
		items:    map[string]*item{},
		arriving: map[string]chan struct{}{},
		schedule: schedule{dests: map[string]*dest{}},
	}
	if err := s.load(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("queue: %s: %w", dir, err)
	}
	return s, nil
}

// Close seals the log and gives the folder free. Calls under way are finished or
// fail; contents that Open opened stay readable.
func (s *FileSpool) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return errClosed
	}
	s.tidying.Lock() // never to be given back
	s.turn <- struct{}{}
	s.mu.Lock()
	last := s.open
	s.mu.Unlock()
	if last != nil {
		s.flush(last)
	}
	s.log.retire()
	<-s.turn
	err := s.tidyAll()
	if cerr := s.lock.Close(); err == nil {
		err = cerr
	}
	return err
}

// The folders of a spool.
func (s *FileSpool) logFile(n int64) string {
	return filepath.Join(s.dir, "log", strconv.FormatInt(n, 10)+".log")
}
func (s *FileSpool) idxFile(n int64) string {
	return filepath.Join(s.dir, "log", strconv.FormatInt(n, 10)+".idx")
}
func (s *FileSpool) bigFile(name string) string { return filepath.Join(s.dir, "big", name) }
func (s *FileSpool) badFile(name string) string { return filepath.Join(s.dir, "bad", name) }

func (s *FileSpool) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}
