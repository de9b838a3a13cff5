package mbox

import "github.com/mailparts/mailparts/internal/disk"

// SetFS makes b use another file system.
func (b *Backend) SetFS(fsys disk.FS) { b.fsys = fsys }
