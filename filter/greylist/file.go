package greylist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

const filePerm = 0o600

// slack is how many lines a File may have beside those that count before it is
// written anew.
const slack = 10_000

// File is a Memory that a restart does not empty: a file to which each change is
// appended, one JSON object per line, of which the last one of a key counts. It is
// written anew by Open, and while in use whenever most of it is history. Writes
// are not synced, since a loss costs no more than a delay, and lines that are
// damaged are skipped. One process at a time may have it open.
type File struct {
	memory Memory
	fsys   disk.FS
	name   string
	lock   io.Closer

	mu    sync.Mutex
	log   disk.File // nil: closed
	lines int
	torn  bool // the last line may have no end
}

// line is a Record as it stands in a File.
type line struct {
	Key    string    `json:"key"`
	First  time.Time `json:"first"`
	Passes int       `json:"passes"`
	Ends   time.Time `json:"ends"`
}

// Open opens a File, and makes it if it is missing. Its folder must exist.
func Open(name string) (*File, error) { return open(disk.OS{}, name) }

func open(fsys disk.FS, name string) (_ *File, err error) {
	f := &File{fsys: fsys, name: name}
	if f.lock, err = fsys.Lock(name + ".lock"); err != nil {
		return nil, fmt.Errorf("greylist: %s: %w", name, err)
	}
	if err = f.read(); err == nil {
		err = f.rewrite()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("greylist: %w", err)
	}
	return f, nil
}

// Close closes f. What came before is with the operating system.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return fs.ErrClosed
	}
	var err error
	if f.log != nil {
		err = f.log.Close()
	}
	err = errors.Join(err, f.lock.Close())
	f.log, f.lock = nil, nil
	return err
}

// Update implements Store.
func (f *File) Update(ctx context.Context, key string, change func(Record) Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.log == nil {
		return fs.ErrClosed
	}
	var old, r Record
	err := f.memory.Update(ctx, key, func(was Record) Record {
		old, r = was, change(was)
		return r
	})
	if err != nil || r == old {
		return err
	}
	err = f.append(key, r)
	if f.lines >= 2*f.memory.len()+slack {
		err = errors.Join(err, f.rewrite())
	}
	return err
}

// append writes one line. The caller holds f.mu.
func (f *File) append(key string, r Record) error {
	b := appendLine(nil, key, r)
	if f.torn {
		b = append([]byte{'\n'}, b...)
	}
	f.lines++
	_, err := f.log.Write(b)
	f.torn = err != nil
	return err
}

// read fills f.memory from the file.
func (f *File) read() error {
	text, err := disk.ReadFile(f.fsys, f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for l := range bytes.Lines(text) {
		var rec line
		if json.Unmarshal(l, &rec) != nil {
			continue
		}
		f.memory.Update(context.Background(), rec.Key, func(Record) Record {
			return Record{First: rec.First, Passes: rec.Passes, Ends: rec.Ends}
		})
	}
	return err
}

// rewrite replaces the file by what counts of it. If that fails the old one goes
// on. The caller holds f.mu, unless it is open.
func (f *File) rewrite() error {
	var b []byte
	f.lines = 0
	for key, r := range f.memory.all() {
		b = appendLine(b, key, r)
		f.lines++
	}
	failed := disk.WriteFile(f.fsys, f.name, b, filePerm)
	log, err := f.fsys.OpenFile(f.name, os.O_WRONLY|os.O_APPEND, 0) // the one of that name now
	if err != nil {
		return errors.Join(failed, err)
	}
	if f.log != nil {
		f.log.Close()
	}
	f.log, f.torn = log, failed != nil
	return failed
}

func appendLine(b []byte, key string, r Record) []byte {
	text, _ := json.Marshal(line{key, r.First, r.Passes, r.Ends}) // a time beyond the year 9999 is no Record
	return append(append(b, text...), '\n')
}
