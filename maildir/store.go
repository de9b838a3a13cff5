package maildir

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// store is one user's tree.
type store struct {
	backend *Backend
	root    string
}

var (
	_ mailparts.Backend      = (*Backend)(nil)
	_ mailparts.Manager      = (*store)(nil)
	_ mailparts.Subscriber   = (*store)(nil)
	_ mailparts.Annotator    = (*store)(nil)
	_ mailparts.Quotaer      = (*store)(nil)
	_ mailparts.StatusLister = (*store)(nil)
	_ mailparts.Watcher      = (*store)(nil)
	_ mailparts.Watcher      = (*mailbox)(nil)
	_ mailparts.Locker       = (*mailbox)(nil)
)

// List yields INBOX and then the others in the order of their names. A folder whose
// name is no mailbox's is left out.
func (s *store) List(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		places, err := s.places(ctx)
		if err != nil {
			yield(mailparts.MailboxInfo{}, err)
			return
		}
		patient := true
		for _, p := range places {
			info, err := s.info(ctx, p, &patient)
			if errors.Is(err, mailparts.ErrNoMailbox) {
				continue
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// info completes a mailbox that another program has made, if that can be done soon:
// before that it has no ID. The first that cannot be ends the caller's patience.
func (s *store) info(ctx context.Context, p place, patient *bool) (mailparts.MailboxInfo, error) {
	info := mailparts.MailboxInfo{Name: p.name, NoSelect: !p.isMailbox}
	if info.NoSelect {
		return info, ctx.Err()
	}
	dir := filepath.Join(s.root, p.path)
	info.Use = s.backend.usesIn(dir)
	head, err := s.backend.readHeader(dir)
	if info.ID = head.guid(); err == nil || !*patient {
		return info, ctx.Err()
	}
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	b, err := s.open(soon, p.name)
	switch {
	case err == nil:
		info.ID = b.guid
	case errors.Is(err, mailparts.ErrNoMailbox):
		return info, err
	default:
		*patient = false
		s.backend.log.Warn("a mailbox that another program made could not be completed", "mailbox", dir, "error", err)
	}
	return info, ctx.Err()
}

// place is a folder whose name can be a mailbox's.
type place struct {
	folder
	name string
}

// places are INBOX and then the others in the order of their names: mailboxes, and
// folders with mailboxes below them.
func (s *store) places(ctx context.Context) ([]place, error) {
	places := []place{{folder{isMailbox: true}, inbox}}
	parents := map[string]bool{} // of mailboxes
	for f, err := range s.backend.folders(s.root) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		name, ok := s.backend.naming().nameOf(f.path)
		if !ok {
			continue
		}
		places = append(places, place{f, name})
		for at := f.path; f.isMailbox && at != "."; {
			at = filepath.Dir(at)
			parents[at] = true
		}
	}
	places = slices.DeleteFunc(places, func(p place) bool { return !p.isMailbox && !parents[p.path] })
	slices.SortFunc(places[1:], func(a, b place) int { return strings.Compare(a.name, b.name) })
	return places, nil
}

// Mailbox returns a handle, and makes what is missing in the folder: others make
// mailboxes too.
func (s *store) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	b, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	return &mailbox{b}, nil
}

func (s *store) open(ctx context.Context, name string) (*box, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	folder, err := s.folderOf(name)
	if err != nil {
		return nil, err
	}
	if within, err := s.isWithin(folder); err != nil || !within {
		return nil, cmp.Or(err, mailparts.ErrNoMailbox)
	}
	dir := filepath.Join(s.root, folder)
	id, err := s.backend.identify(dir)
	if errors.Is(err, errUnmade) || name == inbox && errors.Is(err, mailparts.ErrNoMailbox) {
		id, err = s.complete(ctx, dir)
	}
	if err != nil {
		return nil, quota(err)
	}
	return s.backend.share(s, dir, id), nil
}

// errUnmade means that a folder is not yet a mailbox, or no longer one.
var errUnmade = errors.New("mailbox not complete")

// identify returns what mailbox has the folder.
func (b *Backend) identify(dir string) (id identity, err error) {
	id.cur, err = b.fsys.Stat(filepath.Join(dir, "cur"))
	if isAbsent(err) {
		if is, _, err := b.isFolder(dir); err != nil || !is || b.Layout == Folders {
			return id, cmp.Or(err, mailparts.ErrNoMailbox)
		}
		return id, errUnmade
	}
	if err != nil {
		return id, err
	}
	for _, sub := range subfolders[:2] {
		if _, err := b.fsys.Stat(filepath.Join(dir, sub)); errors.Is(err, fs.ErrNotExist) {
			return id, errUnmade
		}
	}
	h, err := b.readHeader(dir)
	id.validity, id.guid = h.validity, h.guid()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoHeader) {
		return id, errUnmade
	}
	return id, err
}

var subfolders = [...]string{"tmp", "new", "cur"}

// readHeader reads the first line of a uidlist.
func (b *Backend) readHeader(dir string) (h listHeader, err error) {
	f, err := b.fsys.OpenFile(filepath.Join(dir, listName), os.O_RDONLY, 0)
	if err != nil {
		return h, err
	}
	defer f.Close()
	buf := make([]byte, 1<<10)
	n, err := f.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return h, err
	}
	line, _, ok := bytes.Cut(buf[:n], []byte{'\n'})
	if !ok {
		return h, errNoHeader
	}
	return parseHeader(string(line))
}

// complete makes a mailbox of a folder, and the folder itself for INBOX. Its
// uidlist is made last: where there is one all names that lead to it are durable.
func (s *store) complete(ctx context.Context, dir string) (id identity, err error) {
	b := s.backend
	if err := disk.MkdirAll(b.fsys, s.root, dirMode); err != nil {
		return id, err
	}
	lock, err := b.lockFile(ctx, filepath.Join(dir, changeLock))
	if errors.Is(err, fs.ErrNotExist) {
		return id, mailparts.ErrNoMailbox
	}
	if err != nil {
		return id, err
	}
	defer lock.Close()
	if _, err := b.fsys.Stat(dir); errors.Is(err, fs.ErrNotExist) { // deleted or renamed while we waited
		return id, mailparts.ErrNoMailbox
	} else if err != nil {
		return id, err
	}
	for _, sub := range subfolders {
		if err := disk.MkdirAll(b.fsys, filepath.Join(dir, sub), dirMode); err != nil {
			return id, err
		}
	}
	list := filepath.Join(dir, listName)
	unlock, err := b.dotlock(ctx, list, filepath.Join(dir, changeLock))
	if err != nil {
		return id, err
	}
	defer unlock()
	_, err = b.readHeader(dir)
	var broken []byte
	if errors.Is(err, errNoHeader) {
		var rerr error
		if broken, rerr = disk.ReadFile(b.fsys, list); rerr != nil {
			return id, rerr
		}
		if err := b.setAside(dir, err); err != nil {
			return id, err
		}
		err = fs.ErrNotExist
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = s.makeList(ctx, dir, list, broken)
	}
	if err != nil {
		return id, err
	}
	return b.identify(dir)
}

// makeList makes the uidlist of a mailbox that has none, or had a broken one.
func (s *store) makeList(ctx context.Context, dir, list string, broken []byte) error {
	b := s.backend
	if dir != s.root && b.Layout == MaildirPlusPlus {
		if err := b.touch(filepath.Join(dir, folderMark)); err != nil {
			return err
		}
	}
	for at := dir; ; at = filepath.Dir(at) { // what another process made it may not have synced yet
		if err := b.fsys.SyncDir(at); err != nil {
			return err
		}
		if len(at) < len(s.root) || at == filepath.Dir(at) {
			break
		}
	}
	if dir == s.root {
		if err := s.takeSubscriptions(ctx); err != nil {
			return err
		}
	}
	if done, err := s.takeOver(ctx, dir, list); done || err != nil {
		return err
	}
	if done, err := s.restoreList(ctx, dir, list, broken); done || err != nil {
		return err
	}
	ids, err := b.takeUniqueIDs(dir)
	if err != nil {
		return err
	}
	validity, err := s.newValidity(ctx)
	if err != nil {
		return err
	}
	return disk.WriteFile(b.fsys, list, newList(validity, 1, nil, ids, givenList{}), fileMode)
}

// folderMark is in every folder of Maildir++ but INBOX's: delivery agents that have
// only the folder find the tree, which is the one above, by it.
const folderMark = "maildirfolder"

// touch makes an empty file, if it is not there.
func (b *Backend) touch(name string) error {
	f, err := b.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}
