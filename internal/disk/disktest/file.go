package disktest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// OpenFile implements disk.FS. It knows the access modes, O_APPEND, O_CREATE,
// O_EXCL and O_TRUNC; any other flag is EINVAL.
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	err := f.begin("openfile", name)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	n, err := f.open(name, flag, perm)
	if err != nil {
		return nil, pathError("openfile", name, err)
	}
	return &file{fsys: f, node: n, name: name, flag: flag}, nil
}

const accessMode = os.O_RDONLY | os.O_WRONLY | os.O_RDWR

func (f *FS) open(name string, flag int, perm fs.FileMode) (*node, error) {
	if flag&^(accessMode|os.O_APPEND|os.O_CREATE|os.O_EXCL|os.O_TRUNC) != 0 {
		return nil, syscall.EINVAL
	}
	n, err := f.find(name)
	switch {
	case err == nil && flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, syscall.EEXIST
	case err == nil && n.isDir() && flag&(accessMode|os.O_CREATE) != 0:
		return nil, syscall.EISDIR
	case err == nil:
		if flag&os.O_TRUNC != 0 && flag&accessMode != 0 && n.cache.size > 0 {
			n.resize(0, time.Now())
		}
		return n, nil
	case !errors.Is(err, fs.ErrNotExist) || flag&os.O_CREATE == 0:
		return nil, err
	}
	dir, base, err := f.parent(name)
	if err != nil {
		return nil, err
	}
	n = f.newNode(perm.Perm())
	n.links = 1
	dir.set(base, n, time.Now())
	return n, nil
}

// file is an open file. fsys.mu guards it.
type file struct {
	fsys   *FS
	node   *node
	name   string
	flag   int
	pos    int64
	closed bool
}

// begin is FS.begin, and EBADF for a file that was not opened for this.
func (f *file) begin(op string, access int) error {
	if err := f.fsys.begin(op, f.name); err != nil {
		return err
	}
	mode := f.flag & accessMode
	switch {
	case f.closed:
		return pathError(op, f.name, fs.ErrClosed)
	case access != 0 && mode != os.O_RDWR && mode != access-1:
		return pathError(op, f.name, syscall.EBADF)
	case access != 0 && f.node.isDir():
		return pathError(op, f.name, syscall.EISDIR)
	}
	return nil
}

// What an operation needs the file to be open for: one more than the flag.
const (
	anyAccess   = 0
	readAccess  = os.O_RDONLY + 1
	writeAccess = os.O_WRONLY + 1
)

func (f *file) Name() string { return f.name }

func (f *file) Stat() (fs.FileInfo, error) {
	err := f.begin("stat", anyAccess)
	defer f.fsys.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return f.node.info(f.name), nil
}

func (f *file) Read(b []byte) (int, error) {
	err := f.begin("read", readAccess)
	defer f.fsys.mu.Unlock()
	if err != nil || len(b) == 0 {
		return 0, err
	}
	n := f.node.cache.readAt(b, f.pos)
	f.pos += int64(n)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (f *file) ReadAt(b []byte, off int64) (int, error) {
	err := f.begin("readat", readAccess)
	defer f.fsys.mu.Unlock()
	if err == nil && off < 0 {
		err = pathError("readat", f.name, syscall.EINVAL)
	}
	if err != nil {
		return 0, err
	}
	n := f.node.cache.readAt(b, off)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Write(b []byte) (int, error) {
	err := f.begin("write", writeAccess)
	defer f.fsys.mu.Unlock()
	if f.flag&os.O_APPEND != 0 {
		f.pos = f.node.cache.size
	}
	n, err := f.writeAt(b, f.pos, err)
	f.pos += int64(n)
	return n, err
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	err := f.begin("writeat", writeAccess)
	defer f.fsys.mu.Unlock()
	if err == nil && (off < 0 || f.flag&os.O_APPEND != 0) {
		err = pathError("writeat", f.name, syscall.EINVAL)
	}
	return f.writeAt(b, off, err)
}

// writeAt writes b, or its first half if the disk fails it.
func (f *file) writeAt(b []byte, off int64, err error) (int, error) {
	if err != nil {
		if !f.diskFailed(err) {
			return 0, err
		}
		b = b[:len(b)/2]
	}
	if len(b) > 0 {
		f.node.write(off, b, time.Now())
	}
	return len(b), err
}

// diskFailed tells what FailAt or Before brought about from a crash and from
// what the caller did wrong.
func (f *file) diskFailed(err error) bool {
	if f.closed || f.flag&accessMode == os.O_RDONLY || f.node.isDir() {
		return false
	}
	return !errors.Is(err, ErrCrashed) && !errors.Is(err, syscall.EINVAL)
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	f.fsys.mu.Lock()
	defer f.fsys.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += f.node.cache.size
	}
	if f.closed {
		return 0, pathError("seek", f.name, fs.ErrClosed)
	}
	if offset < 0 {
		return 0, pathError("seek", f.name, syscall.EINVAL)
	}
	f.pos = offset
	return offset, nil
}

func (f *file) Truncate(size int64) error {
	err := f.begin("truncate", writeAccess)
	defer f.fsys.mu.Unlock()
	if err == nil && size < 0 {
		err = pathError("truncate", f.name, syscall.EINVAL)
	}
	if err != nil {
		return err
	}
	f.node.resize(size, time.Now())
	return nil
}

func (f *file) Allocate(size int64) error {
	err := f.begin("allocate", writeAccess)
	defer f.fsys.mu.Unlock()
	if err != nil || size <= f.node.cache.size {
		return err
	}
	f.node.resize(size, time.Now())
	return nil
}

func (f *file) Sync() error     { return f.sync("sync", true) }
func (f *file) Datasync() error { return f.sync("datasync", false) }

func (f *file) sync(op string, all bool) error {
	err := f.begin(op, anyAccess)
	defer f.fsys.mu.Unlock()
	switch {
	case err == nil && f.node.isDir():
		f.node.syncDir()
	case err == nil:
		f.node.sync(all)
	case !f.closed && !errors.Is(err, ErrCrashed):
		f.node.pending = nil // Linux marks the pages clean: another Sync will not write them
	}
	return err
}

func (f *file) Close() error {
	err := f.begin("close", anyAccess)
	defer f.fsys.mu.Unlock()
	f.closed = true
	f.fsys.fcntls.set(f.node, f, disk.Unlocked)
	f.fsys.flocks.set(f.node, f, disk.Unlocked)
	return err
}
