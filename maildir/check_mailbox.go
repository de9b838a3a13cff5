package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/courier"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// boxChecker is the examination of one mailbox.
type boxChecker struct {
	*checker
	name, dir string
	box       *box // Repair holds its lock; nil: Check
	files     []item
	letters   uint32 // that names of files have
}

// mailbox examines one. That it is gone by now is no problem.
func (c *checker) mailbox(p place) error {
	b := &boxChecker{checker: c, name: p.name, dir: filepath.Join(c.root, p.path)}
	if p.name != inbox && !c.isMaildir(b.dir) && !c.exists(filepath.Join(b.dir, listName)) {
		b.note(b.dir, "has a mailbox's name, and nothing of a mailbox in it")
		return c.ctx.Err()
	}
	b.made()
	if c.repair {
		unlock, err := b.lock()
		if err != nil {
			return ifGone(err)
		}
		defer unlock()
	}
	b.leftovers()
	b.messages()
	b.keywords()
	b.annotations(b.name, b.dir, metadataName, func() error { return b.annotate(b.dir, metadataName, nil) })
	b.index()
	b.list()
	if c.repair && len(c.found) > 0 {
		return ifGone(b.bringUp())
	}
	return c.ctx.Err()
}

// ifGone is err, but for a mailbox that somebody has deleted.
func ifGone(err error) error {
	if errors.Is(err, mailparts.ErrNoMailbox) {
		return nil
	}
	return err
}

// note is for a person.
func (b *boxChecker) note(file, what string) {
	b.problem(Problem{Mailbox: b.name, File: file, What: what}, "", nil)
}

// mend is a problem with a remedy.
func (b *boxChecker) mend(file, what, remedy string, do func() error) {
	b.problem(Problem{Mailbox: b.name, File: file, What: what}, remedy, do)
}

// made looks for what every mailbox has. Whatever is missing is made at once when the
// mailbox is opened, so that Repair does that.
func (b *boxChecker) made() {
	fsys := b.backend.fsys
	open := func() error {
		_, err := b.open(b.ctx, b.name)
		return err
	}
	var missing []string
	for _, sub := range subfolders {
		path := filepath.Join(b.dir, sub)
		if fi, err := fsys.Stat(path); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, path)
		} else if err == nil && !fi.IsDir() {
			b.note(path, "is no folder")
		}
	}
	for _, path := range missing {
		b.mend(path, "is missing", "make it", open)
	}
	if _, err := b.backend.readHeader(b.dir); errors.Is(err, errNoHeader) {
		b.mend(filepath.Join(b.dir, listName), "has no header: all UIDs are lost", "set it aside, with a new UIDVALIDITY", open)
	} else if errors.Is(err, fs.ErrNotExist) && b.exists(filepath.Join(b.dir, courier.UIDsFile)) {
		b.mend(filepath.Join(b.dir, courier.UIDsFile), "is Courier's, and was not taken over yet", "take it over", open)
	}
}

// lock makes Repair the one who changes the mailbox.
func (b *boxChecker) lock() (unlock func(), err error) {
	if b.box, err = b.open(b.ctx, b.name); err != nil {
		return nil, err
	}
	if unlock, err = b.box.lock(b.ctx); err != nil {
		return nil, err
	}
	b.dir = b.box.path()
	return unlock, nil
}

// locked calls do with the dotlock of the uidlist: as who changes keywords or renames
// files to other bases must.
func (b *boxChecker) locked(do func() error) error {
	unlock, err := b.box.lockList(b.ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return do()
}

// bringUp has the mailbox look at all its files and read its uidlist again.
func (b *boxChecker) bringUp() error {
	b.box.mu.Lock()
	b.box.list.ID, b.box.distrust = 0, true
	b.box.mu.Unlock()
	return b.box.catchUp(b.ctx, needEntries)
}

// leftovers looks at what is in the mailbox's folder beside messages.
func (b *boxChecker) leftovers() {
	b.staleLock(b.name, filepath.Join(b.dir, listName), func() error { return b.locked(func() error { return nil }) })
	names, err := b.backend.fsys.ReadDir(b.dir)
	if err != nil {
		b.unreadable(b.name, b.dir, err)
		return
	}
	slices.Sort(names)
	for _, name := range names {
		path := filepath.Join(b.dir, name)
		if sec, _ := stamp(name); sec > 0 && strings.Contains(name, ".") && validName(name) {
			b.misplaced(path, name)
		} else if own, ok := strings.CutSuffix(name, ".tmp"); ok && slices.Contains(replaced, own) {
			b.leftTemporary(b.name, path)
		}
	}
	tmp := filepath.Join(b.dir, "tmp")
	names, err = b.backend.fsys.ReadDir(tmp)
	if err != nil {
		b.unreadable(b.name, tmp, err)
	}
	slices.Sort(names)
	for _, name := range names {
		b.leftTemporary(b.name, filepath.Join(tmp, name))
	}
}

// replaced are the files of a mailbox that are replaced as a whole.
var replaced = []string{listName, keywordsName, issueName, stagedName, stagedUIDs, indexName, cacheName, metadataName}

// misplaced is a message that somebody has put beside new/ and cur/.
func (b *boxChecker) misplaced(path, name string) {
	fi, err := b.backend.fsys.Stat(path)
	if err != nil || !fi.Mode().IsRegular() {
		return
	}
	shelf := shelfNames[newShelf]
	if strings.Contains(name, infoPrefix) {
		shelf = shelfNames[curShelf]
	}
	b.mend(path, "looks like a message, and is in no folder of messages", "move it to "+shelf, func() error {
		return b.place(path, filepath.Join(b.dir, shelf), name)
	})
}

// place moves a file, so that it is durable in one of the two folders at any time.
func (b *boxChecker) place(path, shelf, name string) error {
	fsys := b.backend.fsys
	to := filepath.Join(shelf, name)
	if b.exists(to) && !b.backend.sameFile(path, to) {
		to = filepath.Join(shelf, b.backend.names.unique(time.Now())+name[len(baseOf(name)):])
	}
	if err := fsys.Link(path, to); err != nil && !b.backend.sameFile(path, to) {
		return err
	}
	if err := fsys.SyncDir(shelf); err != nil {
		return err
	}
	return fsys.Remove(path)
}

// keywords looks for letters that mean nothing. It comes after messages: letters are
// given before names of files get them.
func (b *boxChecker) keywords() {
	file := filepath.Join(b.dir, keywordsName)
	k, fi, err := b.backend.readKeywords(b.dir)
	if err != nil {
		b.unreadable(b.name, file, err)
		return
	}
	bad := k.bad
	was := k.list
	claimed := k.claim(b.letters)
	write := func() error { return b.locked(func() error { return b.backend.writeKeywords(b.dir, k) }) }
	if bad > 0 {
		b.mend(file, fmt.Sprintf("has %d bad lines", bad), "set it aside and keep what is good in it", write)
		write = nil
	}
	if claimed {
		var letters []string
		for n, name := range k.list {
			if name != was[n] {
				letters = append(letters, fmt.Sprintf("%c, now %s", 'a'+n, name))
			}
		}
		b.mend(file, "has no names for letters in names of files: "+strings.Join(letters, "; "), "give them these", write)
	}
	if fi != nil {
		b.mode(file, fi)
	}
}

// index reads all of the index.
func (b *boxChecker) index() {
	h, err := b.backend.readHeader(b.dir)
	if err != nil {
		return // without a list there is nothing that it is of
	}
	x := &box{Backend: b.backend, root: b.root, dir: b.dir, identity: identity{validity: h.validity, guid: h.guid()}}
	for looks := 1; ; looks++ {
		ix := index.New(b.backend.fsys, x.indexPath(b.dir))
		err := ix.Load()
		switch {
		case err == nil || errors.Is(err, index.ErrNone):
			return
		case !errors.Is(err, index.ErrDamaged):
			b.unreadable(b.name, x.indexPath(b.dir), err)
			return
		case looks < maxLooks: // somebody may be writing it
			continue
		}
		b.mend(x.indexPath(b.dir), err.Error(), "set it aside and make it anew", func() error {
			_, err := ix.SetAside()
			return err
		})
		return
	}
}

// list compares the lines of the uidlist with the messages.
func (b *boxChecker) list() {
	file := filepath.Join(b.dir, listName)
	lines, bad, err := b.lines(file)
	if err != nil {
		b.unreadable(b.name, file, err)
		return
	}
	rewrite := func() error {
		return b.locked(func() error {
			if err := b.bringUp(); err != nil {
				return err
			}
			return b.box.rewriteLive(b.dir)
		})
	}
	if bad > 0 {
		b.mend(file, fmt.Sprintf("has %d lines that are none; their messages get new UIDs", bad), "write it anew", rewrite)
	}
	there := make(map[string]bool, len(b.files))
	for _, it := range b.files {
		there[baseOf(it.name)] = true
	}
	gone := 0
	for _, l := range lines {
		if !there[l.base] {
			gone++
		}
	}
	if gone >= compactAfter+len(there)/4 {
		b.mend(file, fmt.Sprintf("has %d lines of messages that are gone", gone), "write it anew", rewrite)
	}
}

// lines reads the uidlist. The torn line at its end counts as a bad one, unless
// somebody is writing it: then it is whole at the next look.
func (b *boxChecker) lines(file string) (lines []listLine, bad int, err error) {
	for range maxLooks {
		text, err := disk.ReadFile(b.backend.fsys, file)
		if err != nil {
			return nil, 0, err
		}
		head, rest, _ := strings.Cut(string(text), "\n")
		if _, err := parseHeader(head); err != nil {
			return nil, 0, nil // said by now
		}
		size := 0
		if lines, size, bad = parseLines(rest, 0); size == len(rest) {
			break
		}
		bad++
	}
	return lines, bad, nil
}
