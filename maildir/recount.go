package maildir

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// recount counts the tree and puts a new file with the limits of was in the place of
// the old one. The caller has the lock; others, who know nothing of it, may deliver
// at the same time: if they did, it is done again. That leaves the moment between
// the new file's name and the last look.
func (q quotaRoot) recount(ctx context.Context, was *sizeFile) (*sizeFile, error) {
	for looks := 1; ; looks++ {
		now, stable, err := q.recountOnce(ctx, was)
		if err != nil || stable || looks == maxLooks {
			return now, err
		}
	}
}

func (q quotaRoot) recountOnce(ctx context.Context, was *sizeFile) (now *sizeFile, stable bool, err error) {
	mode, err := q.sizeFileMode()
	if err != nil {
		return nil, false, err
	}
	now = &sizeFile{Limits: was.Limits, others: was.others, lines: 1}
	var shelves []quotaShelf
	if now.used, shelves, err = q.weighTree(ctx); err != nil {
		return nil, false, err
	}
	text := now.used.append(now.appendLimits(nil))
	if err := disk.WriteFile(q.fsys, q.file(), text, mode); err != nil {
		return nil, false, err
	}
	now.size, now.mtime = int64(len(text)), time.Now()
	again, err := q.shelves()
	return now, err == nil && slices.EqualFunc(shelves, again, quotaShelf.is), nil
}

// sizeFileMode is what the file has, or gets if there is none.
func (q quotaRoot) sizeFileMode() (fs.FileMode, error) {
	fi, err := q.fsys.Stat(q.file())
	if errors.Is(err, fs.ErrNotExist) {
		return fileMode, nil
	}
	if err != nil {
		return 0, err
	}
	return fi.Mode().Perm(), nil
}

// quotaShelf is a folder with messages, and when it was changed last.
type quotaShelf struct {
	path  string
	mtime time.Time
}

func (s quotaShelf) is(t quotaShelf) bool { return s.path == t.path && s.mtime.Equal(t.mtime) }

// shelves are new/ and cur/ of all mailboxes, sorted: of everything in the tree that
// Courier and Dovecot take for a folder, whether its name can be a mailbox's here or
// not.
func (q quotaRoot) shelves() (shelves []quotaShelf, err error) {
	folders := []string{""} // INBOX
	for f, err := range q.folders(q.tree) {
		if err != nil {
			return nil, err
		}
		folders = append(folders, f.path)
	}
	slices.Sort(folders)
	for _, folder := range folders {
		for _, shelf := range shelfNames {
			path := filepath.Join(q.tree, folder, shelf)
			fi, err := q.fsys.Stat(path)
			if isAbsent(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			shelves = append(shelves, quotaShelf{path, fi.ModTime()})
		}
	}
	return shelves, nil
}

// weighTree counts all, and tells what it looked at.
func (q quotaRoot) weighTree(ctx context.Context) (u usage, shelves []quotaShelf, err error) {
	if shelves, err = q.shelves(); err != nil {
		return u, nil, err
	}
	for _, s := range shelves {
		in, err := q.weighShelf(ctx, s.path)
		if err != nil {
			return u, nil, err
		}
		u = u.plus(in)
	}
	return u, shelves, nil
}

// weighShelf counts the messages in new/ or cur/.
func (q quotaRoot) weighShelf(ctx context.Context, path string) (u usage, err error) {
	names, err := q.fsys.ReadDir(path)
	if isAbsent(err) {
		return u, ctx.Err()
	}
	if err != nil {
		return u, err
	}
	for _, name := range names {
		if !validName(name) {
			continue
		}
		in, err := q.weigh(filepath.Join(path, name))
		if err != nil {
			return u, err
		}
		u = u.plus(in)
	}
	return u, ctx.Err()
}

// weigh is one message's share, by its name or else by its file. What is gone
// meanwhile, or is a folder, has none.
func (q quotaRoot) weigh(path string) (usage, error) {
	if size := sizeIn(baseOf(filepath.Base(path)), diskSize); size >= 0 {
		return usage{size, 1}, nil
	}
	fi, err := q.fsys.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && fi.IsDir() {
		return usage{}, nil
	}
	if err != nil {
		return usage{}, err
	}
	return usage{fi.Size(), 1}, nil
}
