package maildir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// quotaRoot is a tree as its quota sees it.
type quotaRoot struct {
	*Backend
	tree string
}

func (b *box) quotaRoot() quotaRoot   { return quotaRoot{b.Backend, b.root} }
func (s *store) quotaRoot() quotaRoot { return quotaRoot{s.backend, s.root} }

func (q quotaRoot) file() string { return filepath.Join(q.tree, sizeName) }

// lock excludes others of our kind from when a change of the tree is weighed until
// its line is written, and while the tree is counted. It is taken after those of
// mailboxes.
func (q quotaRoot) lock(ctx context.Context) (io.Closer, error) {
	return q.lockFile(ctx, filepath.Join(q.tree, quotaLock))
}

// read returns what the file says, or nil if there is no quota. An empty file is one
// that is being made.
func (q quotaRoot) read() (*sizeFile, error) {
	file, err := q.fsys.OpenFile(q.file(), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSizeFile))
	if err != nil || len(text) == 0 {
		return nil, err
	}
	f, err := parseSizeFile(string(text))
	if err != nil {
		return nil, q.setLimitsAside(err)
	}
	f.size, f.mtime = fi.Size(), fi.ModTime()
	return &f, nil
}

// setLimitsAside keeps a file that has no limits under another name. There is no
// quota then, until somebody sets one.
func (q quotaRoot) setLimitsAside(cause error) error {
	bad := badName(q.file())
	q.log.Error("quota set aside, there is none now", "file", bad, "error", cause)
	return ifExists(q.fsys.Rename(q.file(), bad))
}

// count returns what the tree holds and may hold, or nil if there is no quota. If
// what the file says does not stand when add is to come, the tree is counted.
func (q quotaRoot) count(ctx context.Context, add usage) (*sizeFile, error) {
	f, err := q.read()
	if f == nil || err != nil || f.stands(add, time.Now()) {
		return f, err
	}
	lock, err := q.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	return q.countLocked(ctx, add)
}

// countLocked is count for who has the lock.
func (q quotaRoot) countLocked(ctx context.Context, add usage) (*sizeFile, error) {
	f, err := q.read()
	if f == nil || err != nil || f.stands(add, time.Now()) {
		return f, err
	}
	if f.bad != nil {
		q.log.Warn("quota is counted anew", "tree", q.tree, "error", f.bad)
	}
	return q.recount(ctx, f)
}

// add writes a line. The caller has the lock.
func (q quotaRoot) add(u usage) error {
	f, err := q.fsys.OpenFile(q.file(), os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the quota was taken away
	}
	if err != nil {
		return err
	}
	line, err := q.lineAfter(f, u)
	if err == nil {
		_, err = f.Write(line)
	}
	return errors.Join(err, f.Close())
}

// lineAfter ends a torn line, which then is a bad one, before its own.
func (q quotaRoot) lineAfter(f disk.File, u usage) ([]byte, error) {
	fi, err := f.Stat()
	if err != nil || fi.Size() == 0 {
		return nil, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], fi.Size()-1); err != nil {
		return nil, err
	}
	var line []byte
	if last[0] != '\n' {
		line = append(line, '\n')
	}
	return u.append(line), nil
}

// change is add after the tree has changed, which nothing can undo now. If the line
// cannot be written the tree is counted; if it cannot be either, the sum is wrong
// until it is.
func (q quotaRoot) change(ctx context.Context, u usage) {
	if u == (usage{}) {
		return
	}
	err := q.add(u)
	if err == nil {
		return
	}
	if f, rerr := q.read(); rerr == nil && f != nil {
		if _, rerr = q.recount(ctx, f); rerr == nil {
			return
		}
	}
	q.log.Warn("a change is not in the quota until it is counted", "tree", q.tree, "octets", u.octets, "messages", u.messages, "error", err)
}
