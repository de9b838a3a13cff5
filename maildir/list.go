package maildir

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// The uidlist of a mailbox, and the modes of what is made there.
const (
	listName = "dovecot-uidlist"
	fileMode = 0o600
	dirMode  = 0o700
)

// list is what a box knows of its uidlist. Dovecot appends lines, and now and then
// puts another file in its place.
//
//	ID, Size, MTime  of the file when it was read last; ID zero: all is to be read
//	Next             what its header says
//	Last, Lines      of its last line; how many, those of messages that are gone too
//	Bad              some of it is no lines
type list struct {
	index.List
	end int64 // of its whole lines; a crash may have left a torn one
}

// above is the lowest UID that is above all in the list.
func (l *list) above() uint64 { return max(l.Next, uint64(l.Last)+1) }

// isCurrent reports whether all of the file was read.
func (l *list) isCurrent(fi fs.FileInfo) bool {
	return l.is(fi) && l.Size == fi.Size() && l.MTime == fi.ModTime().UnixNano()
}

// is reports whether the file is the one that was read.
func (l *list) is(fi fs.FileInfo) bool { return l.ID != 0 && l.ID == disk.Inode(fi) }

// maxLine is how much of what was read is looked at again. A longer line means that all
// of the list is read.
const maxLine = 512

// endsIn reports whether text ends in the last line that was read. If not it is another
// list: file systems give the inode of a file that is gone to the next one.
func (l *list) endsIn(text []byte) bool {
	text, whole := bytes.CutSuffix(text, []byte{'\n'})
	last := text[bytes.LastIndexByte(text, '\n')+1:]
	if l.Last == 0 {
		return whole && bytes.HasPrefix(last, []byte("3 "))
	}
	return whole && bytes.HasPrefix(last, strconv.AppendUint(nil, uint64(l.Last), 10)) && bytes.IndexByte(last, ' ') == len(strconv.Itoa(int(l.Last)))
}

// note takes in which file was read, and how much of it.
func (l *list) note(fi fs.FileInfo, end int64) {
	l.ID, l.Size, l.MTime, l.end = disk.Inode(fi), fi.Size(), fi.ModTime().UnixNano(), end
}

// saved is what goes to the index.
func (l *list) saved() index.List {
	if l.end != l.Size {
		return index.List{}
	}
	return l.List
}

// readList returns the lines that came since the list was read, or all of them if
// another file has its place, if all is asked for or if nothing was read yet. If
// the file is gone or is no uidlist of ours, the box is lost.
func (b *box) readList(dir string, all bool) (lines []listLine, whole bool, err error) {
	f, fi, err := b.openList(dir)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	if l := b.list; !all && l.is(fi) && fi.Size() >= l.end {
		if l.isCurrent(fi) {
			return nil, false, nil
		}
		from := max(0, l.end-maxLine)
		text, err := io.ReadAll(io.NewSectionReader(f, from, fi.Size()-from))
		if err != nil {
			return nil, false, err
		}
		if read := int(l.end - from); len(text) >= read && l.endsIn(text[:read]) {
			lines, size, bad := parseLines(string(text[read:]), mailparts.UID(l.Last))
			l.note(fi, l.end+int64(size))
			return lines, false, b.setList(dir, l, lines, bad)
		}
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, false, err
	}
	head, lines, size, bad, err := parseList(string(content))
	if err != nil || head.validity != b.validity {
		return nil, false, b.foreign(dir, err)
	}
	l := list{List: index.List{Next: head.next}}
	l.note(fi, int64(size))
	return lines, true, b.setList(dir, l, lines, bad)
}

// peekList is readList for who needs no lines: it reads the two ends of the file.
func (b *box) peekList(dir string) error {
	f, fi, err := b.openList(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if b.list.isCurrent(fi) {
		return nil
	}
	const reach = 4 << 10
	start, err := io.ReadAll(io.NewSectionReader(f, 0, min(reach, fi.Size())))
	if err != nil {
		return err
	}
	from := max(0, fi.Size()-reach)
	tail, err := io.ReadAll(io.NewSectionReader(f, from, fi.Size()-from))
	if err != nil {
		return err
	}
	first, _, _ := bytes.Cut(start, []byte{'\n'})
	head, err := parseHeader(string(first))
	if err != nil || head.validity != b.validity {
		return b.foreign(dir, err)
	}
	l := list{List: index.List{Next: head.next}}
	l.note(fi, fi.Size())
	if fi.Size() == int64(len(first))+1 {
		return b.setList(dir, l, nil, 0)
	}
	_, tail, _ = bytes.Cut(tail, []byte{'\n'}) // the header, or the rest of a line
	lines, size, bad := parseLines(string(tail), 0)
	if len(lines) > 0 && size == len(tail) && bad == 0 {
		return b.setList(dir, l, lines, 0)
	}
	_, _, err = b.readList(dir, true) // a crash has left its end
	return err
}

func (b *box) openList(dir string) (disk.File, fs.FileInfo, error) {
	f, err := b.fsys.OpenFile(filepath.Join(dir, listName), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, b.lost()
	}
	if err != nil {
		return nil, nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, fi, nil
}

// foreign is for a list that is not this box's any more, or no list at all: then
// err says so.
func (b *box) foreign(dir string, err error) error {
	if errors.Is(err, errUsedUp) {
		if err := b.forgetIndex(dir); err != nil {
			return err
		}
	}
	if err != nil {
		if err := b.setAside(dir, err); err != nil {
			return err
		}
	}
	return b.lost()
}

// setList takes in what was read or written.
func (b *box) setList(dir string, l list, lines []listLine, bad int) error {
	if bad > 0 {
		b.log.Warn("uidlist has lines that are none; their messages get new UIDs", "mailbox", dir, "lines", bad)
		l.Bad = true
	}
	if n := len(lines); n > 0 {
		l.Last = uint32(lines[n-1].uid)
		l.Lines += uint32(n)
	}
	if err := b.recall(dir); err != nil {
		return err
	}
	b.mu.Lock()
	b.list = l
	b.mu.Unlock()
	return nil
}

// setAside keeps a broken uidlist under another name. The next one to open the
// mailbox makes a new list, of the index or else with a new UIDVALIDITY.
func (b *Backend) setAside(dir string, cause error) error {
	name := filepath.Join(dir, listName)
	bad := badName(name)
	b.log.Error("uidlist set aside, the mailbox gets a new one", "uidlist", bad, "error", cause)
	return ifExists(b.fsys.Rename(name, bad))
}

// touchList gives the list another modification time, so that nobody takes it for what
// was read. That it cannot is no error.
func (b *box) touchList(dir string) {
	name := filepath.Join(dir, listName)
	if b.list.ID == 0 || b.fsys.Chtimes(name, time.Unix(0, max(time.Now().UnixNano(), b.list.MTime+1))) != nil {
		return
	}
	fi, err := b.fsys.Stat(name)
	if err != nil || !b.list.is(fi) || fi.Size() != b.list.Size { // it is to be read again
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list.MTime = fi.ModTime().UnixNano()
}

// appendList writes new lines. The caller holds the list's dotlock and has read
// all there is. The lines need no sync: see issue.
func (b *box) appendList(dir string, lines []listLine) error {
	if b.list.Bad {
		return b.rewriteList(dir, func(listLine) bool { return true }, lines)
	}
	var text []byte
	for _, l := range lines {
		text = l.append(text)
	}
	fi, err := b.appendText(filepath.Join(dir, listName), text)
	if err != nil {
		return err
	}
	l := b.list
	l.note(fi, fi.Size())
	return b.setList(dir, l, lines, 0)
}

// appendText leaves nothing of text behind if it cannot write it whole.
func (b *box) appendText(name string, text []byte) (fi fs.FileInfo, err error) {
	f, err := b.fsys.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, f.Close())
	}()
	fi, err = f.Stat()
	if err != nil {
		return nil, err
	}
	if fi.Size() > b.list.end { // the torn line of a crash
		if err := f.Truncate(b.list.end); err != nil {
			return nil, err
		}
	}
	if _, err := f.Write(text); err != nil {
		return nil, errors.Join(err, f.Truncate(b.list.end))
	}
	return f.Stat()
}

// rewriteList puts a new file in the list's place, durably: the good lines that
// are kept, with all their fields, and new ones. The caller holds the dotlock.
func (b *box) rewriteList(dir string, keep func(listLine) bool, lines []listLine) error {
	name := filepath.Join(dir, listName)
	content, err := disk.ReadFile(b.fsys, name)
	if err != nil {
		return err
	}
	head, old, _, _, err := parseList(string(content))
	if err != nil {
		return err
	}
	head.next = max(b.nextUID(), 1)
	l := list{List: index.List{Next: head.next}}
	text := head.append(nil)
	for _, line := range old {
		if keep(line) {
			text = line.append(text)
			l.Lines++
			l.Last = uint32(line.uid)
		}
	}
	for _, line := range lines {
		text = line.append(text)
	}
	if err := disk.WriteFile(b.fsys, name, text, fileMode); err != nil {
		return err
	}
	fi, err := b.fsys.Stat(name)
	if err != nil {
		return err
	}
	l.note(fi, int64(len(text)))
	return b.setList(dir, l, lines, 0)
}

// compact rewrites a list if much of it is no lines, or lines of messages that are
// gone. It may do so at any later time as well, so that it cannot now is no error.
func (b *box) compact(ctx context.Context, dir string) {
	dead := int(b.list.Lines) - len(b.ix.Entries)
	if !b.list.Bad && dead < compactAfter+len(b.ix.Entries)/4 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	unlock, err := b.lockList(ctx)
	if err != nil {
		return
	}
	defer unlock()
	if fi, err := b.fsys.Stat(filepath.Join(dir, listName)); err != nil || !b.list.isCurrent(fi) {
		return
	}
	if err := b.rewriteLive(dir); err != nil {
		b.log.Warn("uidlist not compacted", "mailbox", dir, "error", err)
	}
}

// rewriteLive leaves in the list what is a line of a message that is there. The
// caller holds the dotlock and has read all there is.
func (b *box) rewriteLive(dir string) error {
	err := b.rewriteList(dir, func(l listLine) bool {
		i, ok := b.index(uint32(l.uid))
		return ok && keyOf(&b.ix.Entries[i]) == l.base
	}, nil)
	if err == nil {
		b.commit(b.ix.Head, index.Change{}, false)
	}
	return err
}

// compactAfter is how many lines of messages that are gone a list may have, beside
// a quarter as many as there are messages.
const compactAfter = 256
