package mbox

import (
	"context"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"

	"github.com/mailparts/mailparts/internal/disk"
)

// held is a mailbox whose lock the caller has. Who is of our kind takes a lock of
// the kernel on a file beside the mail first, and then those that all programs know.
type held struct {
	*box
	f     *lock // nil: an INBOX that has no file
	j     *journal
	fi    fs.FileInfo // of f
	size  int64
	write bool
	own   bool     // the file's modification time is one of ours
	free  []func() // what unlock calls, last first
}

// errMoved means that the mailbox's file is no longer where it was.
var errMoved = errors.New("moved")

// errNeedWrite means that a lock for reading does not do.
var errNeedWrite = errors.New("needs a lock for writing")

// lock takes the mailbox's lock, and finishes what a crash has left undone.
func (b *box) lock(ctx context.Context, write bool) (*held, error) {
	select {
	case b.guard <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		h := &held{box: b, write: write}
		err := h.acquire(ctx)
		if err == nil {
			return h, nil
		}
		h.release()
		switch {
		case errors.Is(err, errMoved) && b.name == inbox:
			err = nil
		case errors.Is(err, errMoved):
			err = b.relocate(ctx)
		case errors.Is(err, errNeedWrite) && !write:
			write, err = true, nil
		}
		if err != nil {
			<-b.guard
			return nil, err
		}
	}
}

// unlock gives the lock back.
func (h *held) unlock() {
	h.release()
	<-h.guard
}

func (h *held) release() {
	for i := len(h.free) - 1; i >= 0; i-- {
		h.free[i]()
	}
	h.free = nil
}

func (h *held) acquire(ctx context.Context) error {
	name, path, err := h.where()
	if err != nil {
		return err
	}
	side := h.store.sideOf(name)
	lock, err := h.lockFile(ctx, side+lockSuffix)
	if err != nil {
		return err
	}
	h.free = append(h.free, func() { lock.Close() })
	if err := h.open(ctx, path, name == inbox); err != nil {
		return err
	}
	if h.j, err = openJournal(h.fsys, side+journalSuffix); err != nil {
		return err
	}
	h.free = append(h.free, func() { h.j.Close() })
	if h.j.kind != atRest {
		if !h.write {
			return errNeedWrite
		}
		if err := h.recover(); err != nil {
			return err
		}
		return h.stat()
	}
	return nil
}

// Suffixes of what is kept beside a mailbox.
const (
	journalSuffix = ".journal"
	indexSuffix   = ".index"
	sessionSuffix = ".session"
)

// sideSuffixes are what goes with a mailbox that is renamed.
var sideSuffixes = [...]string{journalSuffix, indexSuffix, sessionSuffix}

// open opens the file and locks it for all programs.
func (h *held) open(ctx context.Context, path string, isInbox bool) error {
	readOnly, flag := h.readOnly, os.O_RDONLY
	if h.write {
		readOnly, flag = false, os.O_RDWR
	} else if !h.loaded {
		readOnly = !h.isWritable(path)
	}
	f, err := h.locks.open(ctx, path, flag, 0)
	if h.write && isForbidden(err) {
		readOnly = true
		f, err = h.locks.open(ctx, path, os.O_RDONLY, 0)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if !isInbox {
			return errMoved
		}
		return h.adopt(nil, false)
	}
	if err != nil {
		return err
	}
	h.f = f
	h.free = append(h.free, func() { f.unlock() })
	if err := h.stat(); err != nil {
		return err
	}
	return h.adopt(h.fi, readOnly)
}

// isWritable reports whether the user may change a file.
func (h *held) isWritable(path string) bool {
	f, err := h.fsys.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		f.Close()
	}
	return !isForbidden(err)
}

func (h *held) stat() error {
	if h.f == nil {
		return nil
	}
	fi, err := h.f.Stat()
	if err == nil {
		h.fi, h.size = fi, fi.Size()
	}
	return err
}

// adopt takes the file for the mailbox's. INBOX is what has its name; another
// mailbox is where its file is, or in one that has its place and its UIDVALIDITY.
func (h *held) adopt(fi fs.FileInfo, readOnly bool) error {
	b := h.box
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readOnly = readOnly
	if b.name == inbox || b.id.file != nil && fi != nil && disk.SameFile(fi, b.id.file) {
		b.id.file = fi
		return nil
	}
	return errMoved
}

// boot tells one run of the machine from another.
func (h *held) boot() uint32 {
	if id := h.fsys.Boot(); id != "" {
		return crc32.ChecksumIEEE([]byte(id)) | 1
	}
	return 0
}

// makeFile makes the file of an INBOX that has none.
func (h *held) makeFile(ctx context.Context) error {
	_, path, err := h.where()
	if err != nil {
		return err
	}
	if err := h.store.makeFile(path); err != nil {
		return err
	}
	return h.open(ctx, path, true)
}
