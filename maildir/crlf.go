package maildir

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/crlf"
)

// ReadAt reads a part in place, whatever line ends the file has.
func (b *body) ReadAt(p []byte, off int64) (n int, err error) {
	if off >= b.size {
		return 0, io.EOF
	}
	part := p[:max(0, min(int64(len(p)), b.size-off))]
	if b.plain {
		n, err = b.readPlain(part, off)
	} else {
		n, err = b.lines.ReadAt(b.file, part, off)
		if err == nil && off+int64(n) == b.size {
			err = b.ends()
		}
	}
	switch {
	case err == nil && n < len(p):
		return n, io.EOF
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	case !errors.Is(err, errTooLong) && !errors.Is(err, errBareLF):
		return n, err
	}
	b.wrong()
	return 0, fmt.Errorf("%s: %w", b.file.Name(), err)
}

var errBareLF = errors.New("an LF without CR, though both sizes are equal")

// readPlain is for a file that is as long as the message is on the wire: with CRLF,
// with no line ends, or with a wrong size.
func (b *body) readPlain(p []byte, off int64) (n int, err error) {
	if n, err = b.file.ReadAt(p, off); n < len(p) {
		return n, err
	}
	var before [1]byte
	if n > 0 && p[0] == '\n' && off > 0 {
		if _, err := b.file.ReadAt(before[:], off-1); err != nil {
			return 0, err
		}
	}
	if crlf.HasBareLF(p, before[0]) {
		return 0, errBareLF
	}
	return n, nil
}

// ends is errTooLong if the message goes on where it should end.
func (b *body) ends() error {
	var next [1]byte
	n, err := b.lines.ReadAt(b.file, next[:], b.size)
	if n > 0 {
		return errTooLong
	}
	if err == io.EOF {
		err = nil
	}
	return err
}

// mapCache keeps where the lines are of the large messages that were read last: who
// reads one part after the other opens the message for each.
type mapCache struct {
	mu   sync.Mutex
	maps []cachedMap // the last one used first
}

type cachedMap struct {
	uid  mailparts.UID
	size int64 // of the file
	*crlf.Map
}

const (
	mostMaps   = 4
	largeAfter = 64 << 10
)

// of returns the one of a message whose file has the size.
func (c *mapCache) of(uid mailparts.UID, size int64) *crlf.Map {
	if size < largeAfter {
		return crlf.NewMap(size)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.maps, func(m cachedMap) bool { return m.uid == uid && m.size == size })
	m := cachedMap{uid, size, nil}
	if i >= 0 {
		m = c.maps[i]
		c.maps = slices.Delete(c.maps, i, i+1)
	} else {
		m.Map = crlf.NewMap(size)
	}
	c.maps = slices.Insert(c.maps[:min(len(c.maps), mostMaps-1)], 0, m)
	return m.Map
}
