package disktest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrCrashed is what every operation returns from the crash on.
var ErrCrashed = errors.New("crashed")

// FS is a file system in memory that begins with an empty root folder; relative
// names start there too. It is for concurrent use.
type FS struct {
	// Before, if not nil, is called before each operation, with no lock held. It
	// may do what another process would do in that moment (its own operations
	// come here too), and its error, if any, is the operation's.
	Before func(Op) error

	mu      sync.Mutex
	root    *node
	inodes  uint64
	boot    int
	fcntls  lockTable
	flocks  lockTable
	ops     int
	crashAt int // 0: never
	failAt  int
	failErr error
	last    Op // the one that failed or crashed
}

// Op is one operation: a method of disk.FS or disk.File that may do input or
// output. Seek and Name are none.
type Op struct {
	Name string // in lower case: "openfile", "writeat", "syncdir", …
	Path string // as it was given, or that the file was opened by
}

// New returns an empty file system.
func New() *FS {
	f := &FS{fcntls: lockTable{}, flocks: lockTable{}}
	f.root = f.newNode(fs.ModeDir | 0o755)
	return f
}

// Ops returns how many operations were made since New, Reboot or the last call
// of CrashAt or FailAt.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// CrashAt makes the n-th operation from now, and all after it, fail with
// ErrCrashed and do nothing. n counts from 1; 0 is never.
func (f *FS) CrashAt(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops, f.crashAt = 0, n
}

// FailAt makes the n-th operation from now fail with err, and only that one. A
// write that fails has written half; a Close closes all the same; nothing else
// does anything.
func (f *FS) FailAt(n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops, f.failAt, f.failErr = 0, n, err
}

// begin counts an operation and says whether it fails. On nil and on any other
// error the caller has f.mu, and gives it back.
func (f *FS) begin(op, name string) error {
	var err error
	if f.Before != nil {
		err = f.Before(Op{op, name})
	}
	f.mu.Lock()
	f.ops++
	switch {
	case f.crashAt > 0 && f.ops >= f.crashAt:
		err = ErrCrashed
	case f.ops == f.failAt:
		err = f.failErr
	default:
		return pathError(op, name, err)
	}
	if f.ops == f.crashAt || f.ops == f.failAt {
		f.last = Op{op, name}
	}
	return pathError(op, name, err)
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func linkError(op, from, to string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: from, New: to, Err: err}
}

func (f *FS) newNode(mode fs.FileMode) *node {
	f.inodes++
	n := &node{number: f.inodes, mode: mode, mtime: time.Now()}
	n.syncedTime = n.mtime
	if mode.IsDir() {
		n.entries, n.synced = map[string]*node{}, map[string]*node{}
	}
	return n
}

// clean returns name from the root folder on. Most names are clean already, and
// there are many: those cost no copy.
func clean(name string) string {
	if strings.HasPrefix(name, "/") {
		return filepath.Clean(name)
	}
	return filepath.Clean("/" + name)
}

// find returns what has the name: ENOENT or ENOTDIR.
func (f *FS) find(name string) (*node, error) {
	n := f.root
	for part := range strings.SplitSeq(filepath.ToSlash(clean(name)), "/") {
		if part == "" {
			continue
		}
		if !n.isDir() {
			return nil, syscall.ENOTDIR
		}
		if n = n.entries[part]; n == nil {
			return nil, syscall.ENOENT
		}
	}
	return n, nil
}

// parent returns the folder of name and its last part.
func (f *FS) parent(name string) (*node, string, error) {
	name = clean(name)
	n, err := f.find(filepath.Dir(name))
	if err == nil && !n.isDir() {
		err = syscall.ENOTDIR
	}
	base := filepath.Base(name)
	if err == nil && len(base) > 255 {
		err = syscall.ENAMETOOLONG
	}
	return n, base, err
}

// Stat implements disk.FS.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	err := f.begin("stat", name)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	n, err := f.find(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return n.info(name), nil
}

// Lstat implements disk.FS. There are no symbolic links.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.Stat(name) }

// ReadDir implements disk.FS, in an order that differs from call to call.
func (f *FS) ReadDir(name string) ([]string, error) {
	err := f.begin("readdir", name)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	n, err := f.find(name)
	if err == nil && !n.isDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	var names []string
	for name := range n.entries {
		names = append(names, name)
	}
	return names, nil
}

// Mkdir implements disk.FS.
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	err := f.begin("mkdir", name)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	dir, base, err := f.parent(name)
	if err == nil && (base == "/" || dir.entries[base] != nil) {
		err = syscall.EEXIST
	}
	if err != nil {
		return pathError("mkdir", name, err)
	}
	n := f.newNode(fs.ModeDir | perm.Perm())
	n.links = 1
	dir.set(base, n, time.Now())
	return nil
}

// Link implements disk.FS.
func (f *FS) Link(from, to string) error {
	err := f.begin("link", from)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	n, err := f.find(from)
	if err == nil && n.isDir() {
		err = syscall.EPERM
	}
	if err != nil {
		return linkError("link", from, to, err)
	}
	dir, base, err := f.parent(to)
	if err == nil && dir.entries[base] != nil {
		err = syscall.EEXIST
	}
	if err != nil {
		return linkError("link", from, to, err)
	}
	n.links++
	dir.set(base, n, time.Now())
	return nil
}

// Remove implements disk.FS.
func (f *FS) Remove(name string) error {
	err := f.begin("remove", name)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	dir, base, err := f.parent(name)
	if err != nil {
		return pathError("remove", name, err)
	}
	n := dir.entries[base]
	switch {
	case n == nil:
		err = syscall.ENOENT
	case len(n.entries) > 0:
		err = syscall.ENOTEMPTY
	default:
		n.links--
		dir.unset(base, time.Now())
	}
	return pathError("remove", name, err)
}

// SyncDir implements disk.FS.
func (f *FS) SyncDir(name string) error {
	err := f.begin("syncdir", name)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	n, err := f.find(name)
	if err == nil && !n.isDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		n.syncDir()
	}
	return pathError("syncdir", name, err)
}

// Chtimes implements disk.FS.
func (f *FS) Chtimes(name string, mtime time.Time) error {
	err := f.begin("chtimes", name)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	n, err := f.find(name)
	if err == nil {
		n.mtime = mtime
	}
	return pathError("chtimes", name, err)
}

// Boot implements disk.FS. It is no operation, and stays the same in mode Kept
// only.
func (f *FS) Boot() string { return strconv.Itoa(f.boot) }
