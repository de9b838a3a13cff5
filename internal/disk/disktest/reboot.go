package disktest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Mode is what a crash leaves of that which was not synced.
type Mode uint8

const (
	// Strict leaves nothing of it.
	Strict Mode = iota
	// ContentOnly leaves all content and no name.
	ContentOnly
	// NamesOnly leaves all names and no content: a new file has no octets.
	NamesOnly
	// Zeros leaves all names and sizes, and zeros where content was written.
	Zeros
	// Torn leaves all, but only the first half of each file's last write.
	Torn
	// Reordered leaves all names, and of the content each file's last write only,
	// with zeros where others came before it.
	Reordered
	// Kept leaves all, as a kill -9 does.
	Kept
)

// Modes returns all of them.
func Modes() []Mode { return []Mode{Strict, ContentOnly, NamesOnly, Zeros, Torn, Reordered, Kept} }

var modeNames = [...]string{"Strict", "ContentOnly", "NamesOnly", "Zeros", "Torn", "Reordered", "Kept"}

// String is for the names of subtests.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// Reboot returns the file system as a crash at this moment leaves it: all that is
// there is durable, and no lock is held. f stays as it is and may be rebooted
// again; no operation on either is seen by the other.
func (f *FS) Reboot(m Mode) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &FS{inodes: f.inodes, boot: f.boot, fcntls: lockTable{}, flocks: lockTable{}}
	if m != Kept {
		r.boot++
	}
	r.root = recovery{mode: m, done: map[*node]*node{}}.node(f.root)
	return r
}

// recovery copies nodes once each: a file may have several names.
type recovery struct {
	mode Mode
	done map[*node]*node
}

func (r recovery) node(n *node) *node {
	if c := r.done[n]; c != nil {
		c.links++
		return c
	}
	c := &node{number: n.number, mode: n.mode, mtime: r.mtime(n), links: 1}
	c.syncedTime = c.mtime
	r.done[n] = c
	if !n.isDir() {
		c.cache = r.content(n)
		c.platter = c.cache.clone()
		return c
	}
	names := n.entries
	if r.mode == Strict || r.mode == ContentOnly {
		names = n.synced
	}
	c.entries = make(map[string]*node, len(names))
	for name, child := range names {
		c.entries[name] = r.node(child)
	}
	c.synced = maps.Clone(c.entries)
	c.settle()
	return c
}

func (r recovery) mtime(n *node) time.Time {
	if r.mode == Strict || r.mode == NamesOnly && !n.isDir() {
		return n.syncedTime
	}
	return n.mtime
}

func (r recovery) content(n *node) content {
	switch r.mode {
	case Strict, NamesOnly:
		return n.platter.clone()
	case ContentOnly, Kept:
		return n.cache.clone()
	}
	c := n.platter.clone()
	last := lastWrite(n.pending)
	for i, ch := range n.pending {
		switch {
		case ch.data == nil:
		case r.mode == Torn && i == last:
			ch.data = ch.data[:len(ch.data)/2]
		case r.mode == Zeros, r.mode == Reordered && i != last:
			ch.data = make([]byte, len(ch.data))
		}
		c.apply(ch)
	}
	return c
}

// lastWrite returns the index of the last change that is a write, or -1.
func lastWrite(changes []change) int {
	for i, ch := range slices.Backward(changes) {
		if ch.data != nil {
			return i
		}
	}
	return -1
}

// Files returns the content of every file by its path from the root folder, as
// programs see it. It is no operation.
func (f *FS) Files() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]string{}
	f.root.walk("", func(path string, n *node) {
		if !n.isDir() {
			b := make([]byte, n.cache.size)
			n.cache.readAt(b, 0)
			all[path] = string(b)
		}
	})
	return all
}

func (n *node) walk(path string, visit func(string, *node)) {
	visit(path, n)
	for name, child := range n.entries {
		child.walk(path+"/"+name, visit)
	}
}
