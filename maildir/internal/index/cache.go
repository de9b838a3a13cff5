package index

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/mailparts/mailparts/internal/disk"
)

// Cache is a file of octets that were derived from messages: Entry.Cached says where
// those of a message are, and Head.Cache in which generation of the file, so that a
// file that was replaced, cut or damaged gives nothing. It grows at its end until
// Compact leaves out what nobody refers to. Nothing is synced: a crash may take any
// of it.
type Cache struct {
	fsys disk.FS
	name string

	// MaxSize is how many octets the file may have; 0: 1 GB.
	MaxSize int64
}

// NewCache returns a cache in a file that need not be there yet.
func NewCache(fsys disk.FS, name string) *Cache { return &Cache{fsys: fsys, name: name} }

// ErrFull means that a cache takes nothing more until Compact finds something to
// leave out.
var ErrFull = errors.New("the cache is full")

// A cache file begins with a magic number, its generation, and how many messages'
// octets were written, those that nobody refers to any more too.
const (
	cacheMagic = "mpcache2"
	cacheHead  = 8 + 8 + 8
)

// Append writes a batch at the end of the file, under the lock of writers. If the
// file is not of this generation, Head.Cache, another one takes its place, from which
// Head.Cache and Entry.Cached are to be set. Wasteful reports whether much of the
// file is octets that nobody refers to any more, if cached messages have any:
// Counts.Cached.
func (c *Cache) Append(generation uint64, b *Batch, cached uint32) (now uint64, places []Place, wasteful bool, err error) {
	f, written, err := c.open(generation)
	if err != nil {
		return generation, nil, false, err
	}
	if f == nil {
		now, places, err = c.begin(b)
		return now, places, false, err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	fi, err := f.Stat()
	if err != nil {
		return generation, nil, false, err
	}
	size := fi.Size()
	written += uint64(len(b.places))
	wasteful = isWasteful(written, uint64(cached)+uint64(len(b.places)))
	if size+int64(len(b.buf)) > c.maxSize() {
		return generation, nil, wasteful, ErrFull
	}
	places = b.seal(generation, uint64(size))
	if _, err = f.WriteAt(b.buf, size); err == nil {
		_, err = f.WriteAt(le.AppendUint64(nil, written), 16)
	}
	if err != nil {
		return generation, nil, false, errors.Join(err, f.Truncate(size))
	}
	return generation, places, wasteful, nil
}

// Wasteful reports what Append does, if there is nothing to append.
func (c *Cache) Wasteful(generation uint64, cached uint32) bool {
	f, written, err := c.open(generation)
	if f == nil || err != nil {
		return false
	}
	f.Close()
	return isWasteful(written, uint64(cached))
}

func isWasteful(written, cached uint64) bool { return written > 2*cached+1000 }

func (c *Cache) maxSize() int64 { return cmp.Or(c.MaxSize, 1<<30) }

// open returns the file, or nil if there is none of the generation.
func (c *Cache) open(generation uint64) (f disk.File, written uint64, err error) {
	if generation == 0 {
		return nil, 0, nil
	}
	f, err = c.fsys.OpenFile(c.name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	got, written, err := readCacheHead(f)
	if err != nil || got != generation {
		f.Close()
		return nil, 0, err
	}
	return f, written, nil
}

// begin puts a file of another generation in the place of what is there, of which
// nothing is written to: it may be anybody's.
func (c *Cache) begin(b *Batch) (generation uint64, places []Place, err error) {
	if cacheHead+int64(len(b.buf)) > c.maxSize() {
		return 0, nil, ErrFull
	}
	tmp := c.name + ".tmp"
	if err := c.fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, nil, err
	}
	f, err := c.fsys.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return 0, nil, err
	}
	generation = rand.Uint64() | 1
	places = b.seal(generation, cacheHead)
	head := le.AppendUint64([]byte(cacheMagic), generation)
	if _, err = f.WriteAt(le.AppendUint64(head, uint64(len(b.places))), 0); err == nil {
		_, err = f.WriteAt(b.buf, cacheHead)
	}
	if err = cmp.Or(err, f.Close()); err == nil {
		err = c.fsys.Rename(tmp, c.name)
	}
	if err != nil {
		c.fsys.Remove(tmp)
		return 0, nil, err
	}
	return generation, places, nil
}

// readCacheHead returns generation 0 if there is none.
func readCacheHead(f disk.File) (generation, written uint64, err error) {
	b := make([]byte, cacheHead)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return 0, 0, err
	}
	if n < cacheHead || string(b[:8]) != cacheMagic {
		return 0, 0, nil
	}
	return le.Uint64(b[8:]), le.Uint64(b[16:]), nil
}

// Compact puts a file in the place of the old one that has what places refer to,
// and returns all of them as they are in it, with an Offset of 0 where there was
// nothing of use. The file is of another generation. The caller holds the lock of
// writers. After an error the old file is there.
func (c *Cache) Compact(generation uint64, places iter.Seq[Place]) (now uint64, moved []Place, err error) {
	tmp := &Cache{fsys: c.fsys, name: c.name + ".tmp", MaxSize: c.MaxSize}
	if now, moved, err = tmp.fill(c.Reader(generation), places); err == nil {
		err = c.fsys.Rename(tmp.name, c.name)
	}
	if err != nil {
		c.fsys.Remove(tmp.name)
		return generation, nil, err
	}
	return now, moved, nil
}

// fill copies what places refer to.
func (c *Cache) fill(from *Reader, places iter.Seq[Place]) (generation uint64, moved []Place, err error) {
	defer from.Close()
	var b Batch
	flush := func() (err error) {
		var placed []Place
		generation, placed, _, err = c.Append(generation, &b, 0)
		moved = append(moved, placed...)
		b.Reset()
		return err
	}
	for p := range places {
		octets, ok := from.Get(p.Offset, p.UID, p.Tag)
		if !ok {
			moved = append(moved, Place{p.UID, p.Tag, 0})
		} else if b.Add(p.UID, p.Tag, octets) {
			if err := flush(); err != nil {
				return 0, nil, err
			}
		}
	}
	return generation, moved, flush()
}

// Cached are the places of all messages that have one.
func (s *State) Cached() iter.Seq[Place] {
	return func(yield func(Place) bool) {
		for i := range s.Entries {
			e := &s.Entries[i]
			if e.Cached != 0 && !yield(Place{e.UID, TagOf(e.Name[:e.Base]), e.Cached}) {
				return
			}
		}
	}
}

// Placed returns the messages that are still there with new places, for Change.Put.
// Of several places of one message the last counts.
func (s *State) Placed(places []Place) (put []Entry) {
	places = slices.Clone(places)
	slices.SortStableFunc(places, func(a, b Place) int { return cmp.Compare(a.UID, b.UID) })
	at := 0
	for i, p := range places {
		var ok bool
		at, ok = findFrom(s.Entries, at, p.UID)
		if !ok || i+1 < len(places) && places[i+1].UID == p.UID {
			continue
		}
		if e := s.Entries[at]; p.Tag == TagOf(e.Name[:e.Base]) {
			e.Cached = p.Offset
			put = append(put, e)
		}
	}
	return put
}
