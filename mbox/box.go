package mbox

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// entry is a message of a box. A box has very many.
type entry struct {
	off      int64 // of its From_ line
	size     int64 // on the wire; -1: not known
	received int64 // seconds since 1970
	flags    flagSet
	uid      uint32
}

// identity tells one mailbox from another that has had the same name.
type identity struct {
	file fs.FileInfo // nil: an INBOX that has no file
}

func (id identity) is(other identity) bool {
	if id.file == nil || other.file == nil {
		return id.file == nil && other.file == nil
	}
	return disk.SameFile(id.file, other.file)
}

// box is what all handles to a mailbox in this process share. That another box for
// it may be in another process is no different from one in this.
type box struct {
	*Backend
	store *store

	// guard is held, together with a lock of the kernel, by who reads or changes
	// the file.
	guard chan struct{}

	mu sync.Mutex // for all that follows

	name string // of the mailbox, until it is renamed
	path string // of its file
	id   identity
	gone bool

	// Only the holder of guard writes these, and so may read them without mu.
	loaded   bool
	readOnly bool
	entries  []entry
	base     base
	next     uint64 // above every UID that was given out here
	known    shape  // of the file when it was read
	layout   uint64 // changes whenever a message may have moved
	waiting  bool   // messages without UIDs wait for better times
	whole    bool   // the next look is to be at all messages
	stored   stored // what is in the index
	lists    map[flagSet][]mailparts.Flag
}

// shape tells whether a file has changed.
type shape struct {
	info    fs.FileInfo // nil: there was no file
	size    int64
	settled bool   // a change after this shows
	partial bool   // others may have changed flags that were not looked at
	edits   uint64 // what the journal counted
	strange uint64
}

// granularity is within which time a file may change twice and have one modification
// time.
const granularity = 50 * time.Millisecond

func newBox(s *store, name, path string, id identity) *box {
	return &box{Backend: s.backend, store: s, name: name, path: path, id: id, guard: make(chan struct{}, 1), lists: map[flagSet][]mailparts.Flag{}}
}

func (b *box) is(id identity) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.id.is(id) || b.name == inbox
}

func (b *box) isGone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gone
}

// where is the mailbox's name and file, as far as known.
func (b *box) where() (name, path string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return "", "", mailparts.ErrNoMailbox
	}
	return b.name, b.path, nil
}

// isShape reports whether a file has not changed since it was read.
func (k *shape) is(fi fs.FileInfo) bool {
	if fi == nil || k.info == nil {
		return fi == nil && k.info == nil
	}
	return k.settled && fi.Size() == k.size && k.looks(fi)
}

// looks is that as far as can be told at once.
func (k *shape) looks(fi fs.FileInfo) bool {
	if fi == nil || k.info == nil {
		return fi == nil && k.info == nil
	}
	return fi.Size() == k.info.Size() && fi.ModTime().Equal(k.info.ModTime()) && disk.SameFile(fi, k.info)
}

// index is where uid is in entries, or would be. The caller holds mu or guard.
func (b *box) index(uid uint64) (int, bool) {
	return slices.BinarySearchFunc(b.entries, uid, func(e entry, uid uint64) int { return cmp.Compare(uint64(e.uid), uid) })
}

// pick returns the places of those of uids that are there and that which takes. The
// caller holds mu or guard.
func (b *box) pick(uids mailparts.UIDSet, which func(*entry) bool) (at []int) {
	for _, r := range uids {
		for i, _ := b.index(uint64(r.First)); i < len(b.entries) && b.entries[i].uid <= uint32(r.Last); i++ {
			if which(&b.entries[i]) {
				at = append(at, i)
			}
		}
	}
	return at
}

// end is where the message at i ends and the next begins. The caller holds guard.
func (b *box) end(i int) int64 {
	if i+1 < len(b.entries) {
		return b.entries[i+1].off
	}
	return b.known.size
}

// relocate finds the mailbox under the name that it was given, or in another file that
// has taken the place of its own.
func (b *box) relocate(ctx context.Context) error {
	b.mu.Lock()
	id, old := b.id, b.path
	b.mu.Unlock()
	found := false
	err := b.store.walk(ctx, b.store.root, "", func(name, path string) {
		if found {
			return
		}
		fi, err := b.fsys.Stat(path)
		if found = err == nil && id.file != nil && disk.SameFile(fi, id.file); found {
			b.mu.Lock()
			b.name, b.path = name, path
			b.mu.Unlock()
		}
	})
	if found {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if fi, err := b.fsys.Stat(old); err == nil && b.loaded && fi.Mode().IsRegular() {
		b.mu.Lock()
		b.id.file = fi // unless update finds another UIDVALIDITY in it
		b.mu.Unlock()
		return nil
	}
	return b.lost()
}

// lost ends the box: its mailbox or its UIDVALIDITY is gone.
func (b *box) lost() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = true
	return mailparts.ErrNoMailbox
}
