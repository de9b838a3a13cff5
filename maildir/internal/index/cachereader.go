package index

import (
	"hash/crc32"
	"io"
	"os"

	"github.com/mailparts/mailparts/internal/disk"
)

// Reader reads what a cache has, best in the order of the offsets. It needs no lock,
// and is for one goroutine.
type Reader struct {
	cache      *Cache
	generation uint64
	f          disk.File // nil: not opened yet, or of no use
	opened     bool

	buf   []byte // of the file, from at on
	at    int64
	ahead int // how much is read at once
}

// How much a Reader reads at once, from the first, and when it goes on from there.
const (
	leastAhead = 8 << 10
	mostAhead  = 256 << 10
)

// Reader returns a Reader of a generation of the cache: Head.Cache. It opens no file
// before the first Get.
func (c *Cache) Reader(generation uint64) *Reader {
	return &Reader{cache: c, generation: generation}
}

// Close closes the file.
func (r *Reader) Close() error {
	r.opened = true
	f := r.f
	if r.f = nil; f == nil {
		return nil
	}
	return f.Close()
}

// Get returns the octets of a message, valid until the next call, or false if the
// cache has not or no longer got them.
func (r *Reader) Get(offset uint64, uid uint32, tag uint64) ([]byte, bool) {
	if offset < cacheHead || offset > 1<<62 || !r.Open() {
		return nil, false
	}
	head := r.read(int64(offset), cacheFrame)
	if head == nil || le.Uint64(head) != tag^r.generation || le.Uint32(head[12:]) != uid {
		return nil, false
	}
	size := le.Uint32(head[16:])
	if size > MaxCached {
		return nil, false
	}
	b := r.read(int64(offset), cacheFrame+int(size))
	if b == nil || le.Uint32(b[8:]) != crc32.Checksum(b[12:], castagnoli) {
		return nil, false
	}
	return b[cacheFrame:], true
}

// Open reports whether there is a file of the generation.
func (r *Reader) Open() bool {
	if r.opened {
		return r.f != nil
	}
	r.opened = true
	if r.generation == 0 {
		return false
	}
	f, err := r.cache.fsys.OpenFile(r.cache.name, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	if got, _, err := readCacheHead(f); err != nil || got != r.generation {
		f.Close()
		return false
	}
	r.f = f
	return true
}

// read returns n octets of the file, or nil. Where the last ones were just before
// them it reads ahead, more and more.
func (r *Reader) read(from int64, n int) []byte {
	end := r.at + int64(len(r.buf))
	if from < r.at || from+int64(n) > end {
		if from >= r.at && from <= end+leastAhead && end > 0 {
			r.ahead = min(2*r.ahead, mostAhead)
		} else {
			r.ahead = leastAhead
		}
		want := max(n, r.ahead)
		if cap(r.buf) < want {
			r.buf = make([]byte, want)
		}
		got, err := r.f.ReadAt(r.buf[:want], from)
		if err != nil && err != io.EOF {
			got = 0
		}
		r.buf, r.at = r.buf[:got], from
	}
	if i := int(from - r.at); i+n <= len(r.buf) {
		return r.buf[i : i+n]
	}
	return nil
}
