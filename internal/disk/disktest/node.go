package disktest

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"
)

// node is an inode: a file or a folder, in cache and on the platter.
type node struct {
	number uint64
	mode   fs.FileMode
	links  int // names it has

	mtime, syncedTime time.Time

	// A file: what programs read, what a crash leaves, and what was done to the
	// first since it was carried over to the second.
	cache, platter content
	pending        []change

	// A folder.
	entries, synced map[string]*node
	dirty           bool  // entries and synced may differ
	durableIn       *node // the folder whose synced has this one
}

func (n *node) isDir() bool { return n.mode.IsDir() }

// change is a write, or a new size if data is nil.
type change struct {
	off  int64
	data []byte
	size int64
}

func (n *node) write(off int64, b []byte, now time.Time) {
	n.cache.writeAt(b, off)
	n.pending = append(n.pending, change{off: off, data: slices.Clone(b)})
	n.mtime = now
}

func (n *node) resize(size int64, now time.Time) {
	n.cache.resize(size)
	n.pending = append(n.pending, change{size: size})
	n.mtime = now
}

// sync carries the content over to the platter; the time only if all is true.
func (n *node) sync(all bool) {
	for _, c := range n.pending {
		n.platter.apply(c)
	}
	n.pending = nil
	if all {
		n.syncedTime = n.mtime
	}
}

func (n *node) set(name string, child *node, now time.Time) {
	n.entries[name] = child
	n.mtime, n.dirty = now, true
}

func (n *node) unset(name string, now time.Time) {
	delete(n.entries, name)
	n.mtime, n.dirty = now, true
}

func (n *node) syncDir() {
	if n.dirty {
		n.synced, n.dirty = maps.Clone(n.entries), false
		n.settle()
	}
	n.syncedTime = n.mtime
}

// settle takes the folders that are durable in n from where they were before: a
// folder has one "..".
func (n *node) settle() {
	for _, child := range n.synced {
		if !child.isDir() {
			continue
		}
		if old := child.durableIn; old != nil && old != n {
			maps.DeleteFunc(old.synced, func(_ string, c *node) bool { return c == child })
		}
		child.durableIn = n
	}
}

// content is size octets: data, and zeros after it.
type content struct {
	data   []byte
	size   int64
	shared bool // data is another's too: it is copied before a write
}

func (c *content) apply(ch change) {
	if ch.data == nil {
		c.resize(ch.size)
		return
	}
	c.writeAt(ch.data, ch.off)
}

func (c *content) writeAt(b []byte, off int64) {
	if len(b) == 0 {
		return
	}
	if c.shared {
		c.data, c.shared = slices.Clone(c.data), false
	}
	end := off + int64(len(b))
	if have := int64(len(c.data)); end > have {
		c.data = append(c.data, make([]byte, end-have)...)
	}
	copy(c.data[off:], b)
	c.size = max(c.size, end)
}

func (c *content) resize(size int64) {
	if size < int64(len(c.data)) {
		c.data = c.data[:size:size]
	}
	c.size = size
}

// readAt reads what there is from off on; 0 is the end.
func (c *content) readAt(b []byte, off int64) int {
	if off >= c.size {
		return 0
	}
	b = b[:min(int64(len(b)), c.size-off)]
	n := 0
	if off < int64(len(c.data)) {
		n = copy(b, c.data[off:])
	}
	clear(b[n:])
	return len(b)
}

// clone returns a copy, which shares the data until either is written.
func (c *content) clone() content {
	c.shared = true
	return *c
}

// info is a FileInfo of one moment.
type info struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
	sys   Sys
}

// Sys is what a FileInfo's Sys returns.
type Sys struct {
	Inode uint64
	Links int // names that the file has; 0: removed
}

func (n *node) info(name string) fs.FileInfo {
	return info{path.Base(name), n.cache.size, n.mode, n.mtime, Sys{n.number, n.links}}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mtime }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return i.sys }

// Inode is for disk.Inode.
func (i info) Inode() uint64 { return i.sys.Inode }

// Same is for disk.SameFile.
func (i info) Same(other fs.FileInfo) bool {
	o, ok := other.(info)
	return ok && o.sys.Inode == i.sys.Inode
}
