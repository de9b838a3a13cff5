package maildir

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mailparts/mailparts/internal/disk"
)

// tree examines what is not of one mailbox.
func (c *checker) tree() error {
	folders, err := c.trash()
	if err != nil {
		return err
	}
	for f, err := range c.backend.folders(c.root) {
		if err != nil {
			return err
		}
		folders = append(folders, f.path)
	}
	slices.Sort(folders)
	for _, folder := range folders {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		c.folder(folder)
	}
	c.staleLock("", filepath.Join(c.root, subscriptionsName), func() error {
		lock, err := c.lockNames(c.ctx)
		if err != nil {
			return err
		}
		defer lock.Close()
		unlock, err := c.backend.dotlock(c.ctx, filepath.Join(c.root, subscriptionsName), "")
		if err == nil {
			unlock()
		}
		return err
	})
	c.annotations("", c.root, accountName, func() error {
		lock, err := c.lockNames(c.ctx)
		if err != nil {
			return err
		}
		defer lock.Close()
		return c.annotate(c.root, accountName, nil)
	})
	for _, name := range []string{subscriptionsName, sizeName, accountName} {
		c.leftTemporary("", filepath.Join(c.root, name+".tmp"))
	}
	return nil
}

// sums examines what depends on the mailboxes.
func (c *checker) sums() error {
	c.validities()
	c.quotaSum()
	return c.ctx.Err()
}

// trash are the folders that are on their way out, as paths below the tree.
func (c *checker) trash() (folders []string, err error) {
	files, err := c.backend.fsys.ReadDir(c.trashIn())
	for _, file := range files {
		if path := filepath.Join(c.trashIn(), file); strings.HasPrefix(file, trash) {
			below, err := filepath.Rel(c.root, path)
			if err != nil {
				return nil, err
			}
			folders = append(folders, below)
		}
	}
	return folders, ifExists(err)
}

// folder examines the name of what may be a mailbox.
func (c *checker) folder(folder string) {
	path := filepath.Join(c.root, folder)
	if strings.HasPrefix(filepath.Base(folder), trash) {
		c.problem(Problem{File: path, What: "is left of a mailbox that was deleted"}, "remove it", func() error { return c.removeAll(path) })
		return
	}
	if _, ok := c.backend.naming().nameOf(folder); ok || !c.isMaildir(path) {
		return
	}
	p := Problem{File: path, What: "has no name of a mailbox, and nobody sees it"}
	if c.backend.Layout == Folders {
		c.problem(p, "", nil)
		return
	}
	name := strings.ReplaceAll(folder[1:], ".", "/")
	to, err := c.folderOf(name)
	if err != nil || to == "" || !utf8.ValidString(name) || c.exists(filepath.Join(c.root, to)) {
		c.problem(p, "", nil)
		return
	}
	p.What = "has its name in UTF-8, as Courier writes it, and nobody sees it"
	c.problem(p, "rename it to "+to, func() error {
		lock, err := c.lockNames(c.ctx)
		if err != nil {
			return err
		}
		defer lock.Close()
		if c.exists(filepath.Join(c.root, to)) {
			return fs.ErrExist
		}
		return c.backend.moveDurably(path, filepath.Join(c.root, to))
	})
}

// isMaildir reports whether there is something of a mailbox in a folder.
func (c *checker) isMaildir(dir string) bool {
	return slices.ContainsFunc([]string{"new", "cur", folderMark}, func(sub string) bool {
		return c.exists(filepath.Join(dir, sub))
	})
}

func (c *checker) exists(path string) bool {
	_, err := c.backend.fsys.Stat(path)
	return err == nil
}

// validities compares the counter with the mailboxes.
func (c *checker) validities() {
	_, last, err := c.lastValidity()
	if err != nil || last == 0 { // the first one will be above all in use
		return
	}
	var highest uint32
	places, _ := c.places(c.ctx)
	for _, p := range places {
		h, err := c.backend.readHeader(filepath.Join(c.root, p.path))
		if err == nil {
			highest = max(highest, h.validity)
		}
	}
	if uint64(highest) > last {
		c.problem(Problem{File: c.root, What: fmt.Sprintf("has a mailbox with the UIDVALIDITY %d, and counts from %d", highest, last)},
			"count from there", func() error { return c.raiseValidity(c.ctx, highest) })
	}
}

// quotaSum compares what the quota says with what is there. Mail may come meanwhile.
func (c *checker) quotaSum() {
	q := c.quotaRoot()
	for looks := 1; ; looks++ {
		text, err := disk.ReadFile(c.backend.fsys, q.file())
		if err != nil {
			c.unreadable("", q.file(), err)
			return
		}
		f, err := parseSizeFile(string(text))
		if err != nil {
			c.problem(Problem{File: q.file(), What: "has no limits"}, "", nil)
			return
		}
		there, _, err := q.weighTree(c.ctx)
		if err != nil || f.bad == nil && f.used == there {
			return
		}
		if again, err := disk.ReadFile(c.backend.fsys, q.file()); looks < maxLooks && (err != nil || string(again) != string(text)) {
			continue
		}
		c.problem(Problem{File: q.file(), What: fmt.Sprintf("counts %d octets in %d messages, there are %d in %d", f.used.octets, f.used.messages, there.octets, there.messages)},
			"count anew", func() error { return q.countAnew(c.ctx, &f) })
		return
	}
}

// countAnew is recount with the lock.
func (q quotaRoot) countAnew(ctx context.Context, was *sizeFile) error {
	lock, err := q.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	_, err = q.recount(ctx, was)
	return err
}

// staleLock finds a dotlock that nobody holds any more. Do takes it.
func (c *checker) staleLock(mailbox, name string, do func() error) {
	if m := c.backend.dotlocks(); m.IsStale(name) {
		c.problem(Problem{Mailbox: mailbox, File: name + ".lock", What: "was left behind"}, "remove it", do)
	}
}

// annotations looks for lines of a file that are none.
func (c *checker) annotations(mailbox, dir, name string, mend func() error) {
	file := filepath.Join(dir, name)
	a, err := c.backend.readAnnotations(file)
	if err != nil {
		c.unreadable(mailbox, file, err)
	} else if a.bad > 0 {
		c.problem(Problem{Mailbox: mailbox, File: file, What: fmt.Sprintf("has %d bad lines", a.bad)}, "set it aside and keep what is good in it", mend)
	}
}

// leftTemporary finds what a crash has left of a file that was to replace another.
func (c *checker) leftTemporary(mailbox, path string) {
	if !c.isLeft(path) {
		return
	}
	c.problem(Problem{Mailbox: mailbox, File: path, What: "was left by a crash"}, "remove it", func() error {
		return ifExists(c.backend.fsys.Remove(path))
	})
}

// isLeft reports whether a file is there that nobody has touched for so long that
// nobody will.
func (c *checker) isLeft(path string) bool {
	fi, err := c.backend.fsys.Stat(path)
	return err == nil && fi.Mode().IsRegular() && time.Since(fi.ModTime()) >= leftAfter
}
