package disktest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// state is a digest of all that a program can learn of a file system after a
// reboot: the boot, the next inode's number, and of each node its number, kind,
// links, time and content. Two with the same state answer every operation alike.
type state [sha256.Size]byte

// state is for what Reboot returned and nobody has used: there cache and platter
// are the same, nothing is pending and nothing is locked.
func (f *FS) state() state {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d %d\n", f.boot, f.inodes)
	f.root.describe(&b, "")
	return sha256.Sum256(b.Bytes())
}

// describe writes n and all below it, in the order of their names.
func (n *node) describe(b *bytes.Buffer, path string) {
	fmt.Fprintf(b, "%q %d %o %d %d %d\n", path, n.number, uint32(n.mode), n.links, n.mtime.UnixNano(), n.cache.size)
	b.Write(n.cache.data)
	fmt.Fprintf(b, "\n%d\n", len(n.cache.data))
	for _, name := range slices.Sorted(maps.Keys(n.entries)) {
		n.entries[name].describe(b, path+"/"+name)
	}
}
