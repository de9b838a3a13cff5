package queue

import "github.com/mailparts/mailparts/internal/disk"

// OpenFS is Open on any file system, with segments of the given size, and files
// for contents larger than inline.
func OpenFS(fsys disk.FS, dir string, segment, inline int64) (*FileSpool, error) {
	return open(fsys, dir, segment, inline)
}

// MaxInline is the largest content that stands in the log.
const MaxInline = maxInline
