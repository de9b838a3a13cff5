package mbox

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// stage holds the texts of messages until all of them are there: in memory, and from
// inMemory octets on in a file.
type stage struct {
	store *store
	buf   []byte
	file  disk.File
	size  int64
	text  textWriter
}

const inMemory = 1 << 20

// incoming is a message in a stage, as it is to be on disk.
type incoming struct {
	off, size int64 // of its text in the stage
	body      int64 // octets of it that are the body
	added     added
	received  time.Time
	flags     []mailparts.Flag

	wire int64  // octets on the wire
	sum  uint32 // of these
}

// Write implements io.Writer.
func (s *stage) Write(p []byte) (int, error) {
	n := len(p)
	if s.file == nil {
		if s.buf = append(s.buf, p...); len(s.buf) < inMemory {
			return n, nil
		}
		if err := s.create(); err != nil {
			return 0, err
		}
		p, s.buf = s.buf, nil
	}
	if _, err := s.file.WriteAt(p, s.size); err != nil {
		return 0, err
	}
	s.size += int64(len(p))
	return n, nil
}

// create moves the stage to a file.
func (s *stage) create() (err error) {
	fsys, dir := s.store.backend.fsys, s.store.side
	files, _ := fsys.ReadDir(dir)
	for _, name := range files {
		fi, err := fsys.Stat(filepath.Join(dir, name))
		if strings.HasPrefix(name, stagePrefix) && err == nil && time.Since(fi.ModTime()) > stageAge {
			fsys.Remove(filepath.Join(dir, name)) // a crash has left it
		}
	}
	for range 100 {
		name := fmt.Sprintf("%s%d-%08x", stagePrefix, os.Getpid(), rand.Uint32())
		s.file, err = fsys.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return err
}

const (
	stagePrefix = "append-"
	stageAge    = 36 * time.Hour
)

// close forgets all.
func (s *stage) close() {
	if s.file != nil {
		s.file.Close()
		s.store.backend.fsys.Remove(s.file.Name())
	}
}

// ReadAt implements io.ReaderAt.
func (s *stage) ReadAt(p []byte, off int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(p, off)
	}
	if off >= int64(len(s.buf)) {
		return 0, io.EOF
	}
	n := copy(p, s.buf[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// end is how much is in it.
func (s *stage) end() int64 {
	if s.file != nil {
		return s.size
	}
	return int64(len(s.buf))
}

// add reads a message to its end.
func (s *stage) add(ctx context.Context, in mailparts.Incoming) (d incoming, err error) {
	d = incoming{off: s.end(), received: in.Received, flags: append([]mailparts.Flag(nil), in.Flags...)}
	if d.received.IsZero() {
		d.received = time.Now()
	}
	if err := s.text.copy(ctx, s, in.Body); err != nil {
		return d, err
	}
	d.size, d.body, d.added = s.text.size, s.text.body, s.text.added
	var r textReader
	r.begin(io.NewSectionReader(s, d.off, d.size), d.added)
	d.wire, d.sum, err = measure(&r)
	return d, err
}

// measure reads to the end.
func measure(r io.Reader) (size int64, sum uint32, err error) {
	h := crc32.New(castagnoli)
	size, err = io.Copy(h, r)
	return size, h.Sum32(), err
}

// head is what comes before the text of a message on disk.
func (d *incoming) head(to []byte, uid uint32, flags flagSet, base *base, keywords []string) []byte {
	to = appendFrom(to, "", d.received, time.Local)
	if base != nil {
		to = base.append(to)
	}
	to = ownBlock(to, uid, flags, keywords, nil)
	to = fmt.Appendf(to, "%s: %d\n", fieldNames[fieldContentLength], d.body)
	if d.added != 0 {
		to = append(d.added.append(append(to, fieldNames[fieldXMboxAdded]+": "...)), '\n')
	}
	return to
}
