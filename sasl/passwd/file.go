package passwd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/mailparts/mailparts/internal/disk"
)

// File is a password file in use. Its methods may be called at once from many
// goroutines. One process at a time may change the file by Set and Delete.
type File struct {
	// Logger is told when a changed file could not be read. Nil discards. It is
	// set before the File is used.
	Logger *slog.Logger

	name   string
	secret []byte // for a file that has none
	work   work
	edit   sync.Mutex // held from reading the file to replacing it

	mu     sync.Mutex
	seen   fs.FileInfo // of the content that was parsed last, for good or ill
	users  *table      // never nil, never changed
	failed string      // the error that was logged last; "": none since
}

// Open reads a password file. A missing file is an error, as is one that breaks
// the rules of the package comment: that error names file and line.
func Open(name string) (*File, error) {
	f := &File{name: name, secret: make([]byte, secretSize)}
	rand.Read(f.secret)
	f.work.slots = make(chan struct{}, min(runtime.GOMAXPROCS(0), maxAtOnce))
	var err error
	if f.users, f.seen, err = f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// OpenOrCreate is Open, but makes the file first, without users, if it is
// missing. Its folder must exist.
func OpenOrCreate(name string) (*File, error) {
	f, err := Open(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := disk.WriteFile(disk.OS{}, name, nil, perm); err != nil {
		return nil, fmt.Errorf("passwd: %w", err)
	}
	return Open(name)
}

// Canonical returns the spelling of name in the file, and whether it is there:
// for the lookup of addresses. It is no part of logging in: its answer must not
// reach a client that has no business to know.
func (f *File) Canonical(name string) (canonical string, ok bool) {
	if u := f.current().find(name); u != nil {
		return u.name, true
	}
	return "", false
}

// Names returns the canonical names of all users, sorted.
func (f *File) Names() []string {
	var names []string
	for _, u := range f.current().users {
		names = append(names, u.name)
	}
	slices.Sort(names)
	return names
}

// current returns the users of the file as it is now, or as it was when last it
// had no error.
func (f *File) current() *table {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(f.name); err == nil && unchanged(f.seen, info) {
		return f.users
	}
	users, seen, err := f.read()
	if seen != nil {
		f.seen = seen
	}
	if err != nil {
		f.report(err)
		return f.users
	}
	f.users, f.failed = users, ""
	return users
}

// unchanged says whether two looks at the file saw one content.
func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// report logs why the users stay as they were, but not at every use.
func (f *File) report(err error) {
	if err.Error() == f.failed {
		return
	}
	f.failed = err.Error()
	if f.Logger != nil {
		f.Logger.Error("password file not read, its users stay as they were", "file", f.name, "err", err)
	}
}

// read returns the file's users. What it saw is nil if the file could not be read,
// which may work at the next use, and is not if it has an error, which stays.
func (f *File) read() (users *table, seen fs.FileInfo, err error) {
	data, seen, err := readFile(f.name)
	if err != nil {
		return nil, nil, fmt.Errorf("passwd: %w", err)
	}
	users, err = parse(f.name, data)
	if err != nil {
		return nil, seen, err
	}
	if users.secret == nil {
		users.secret = f.secret
	}
	return users, seen, nil
}

// readFile looks before it reads: what is written in between is read once more,
// not missed.
func readFile(name string) (data []byte, seen fs.FileInfo, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if seen, err = file.Stat(); err != nil {
		return nil, nil, err
	}
	data, err = io.ReadAll(file)
	return data, seen, err
}
