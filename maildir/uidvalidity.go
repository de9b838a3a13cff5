package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// validityPrefix begins the name of an empty file whose eight last digits are the
// last UIDVALIDITY that was given out in the tree, in hexadecimal: Dovecot's
// counter.
const validityPrefix = "dovecot-uidvalidity."

// newValidity gives a UIDVALIDITY that no mailbox of the tree has had. That it is
// taken is durable.
func (s *store) newValidity(ctx context.Context) (uint32, error) {
	return s.countValidity(ctx, func(next uint64) uint64 { return next })
}

// raiseValidity sees to it that newValidity gives none up to validity, durably: a
// mailbox has it from another server.
func (s *store) raiseValidity(ctx context.Context, validity uint32) error {
	_, err := s.countValidity(ctx, func(next uint64) uint64 { return max(next-1, uint64(validity)) })
	return err
}

// countValidity moves the counter to what step says, given the next of the counter.
func (s *store) countValidity(ctx context.Context, step func(next uint64) uint64) (uint32, error) {
	b := s.backend
	lock, err := b.lockFile(ctx, filepath.Join(s.root, validityLock))
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	old, last, err := s.lastValidity()
	if err != nil {
		return 0, err
	}
	next := last + 1
	if old == "" {
		if next, err = s.firstValidity(ctx); err != nil {
			return 0, err
		}
	}
	if next = step(next); next > math.MaxUint32 {
		return 0, fmt.Errorf("%s: no UIDVALIDITY is left", s.root)
	}
	name := filepath.Join(s.root, fmt.Sprintf("%s%08x", validityPrefix, next))
	if old != "" { // if nothing moves, this does nothing
		err = b.fsys.Rename(filepath.Join(s.root, old), name)
	} else {
		err = b.touch(name)
	}
	if err != nil {
		return 0, err
	}
	return uint32(next), b.fsys.SyncDir(s.root)
}

// lastValidity returns the counter's file and what it says, or nothing if there is
// none.
func (s *store) lastValidity() (file string, last uint64, err error) {
	files, err := s.backend.fsys.ReadDir(s.root)
	for _, f := range files {
		digits, ok := strings.CutPrefix(f, validityPrefix)
		n, err := strconv.ParseUint(digits, 16, 32)
		if ok && err == nil && len(digits) == 8 && n > last {
			file, last = f, n
		}
	}
	return file, last, err
}

// firstValidity is the clock, in seconds, or above all in use.
func (s *store) firstValidity(ctx context.Context) (uint64, error) {
	next := uint64(time.Now().Unix())
	places, err := s.places(ctx)
	for _, p := range places {
		h, err := s.backend.readHeader(filepath.Join(s.root, p.path))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoHeader) {
			return 0, err
		}
		next = max(next, uint64(h.validity)+1)
	}
	return next, err
}
