package mbox

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"weak"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// Backend is a mailparts.Backend of mbox files: an INBOX and a tree of folders for
// each user. The zero value with Root set works. Its fields may not change after
// the first Open.
type Backend struct {
	// Root is the folder that has each user's tree under the user's name. Who
	// is a user is not asked here: Open makes the tree of any name that can be
	// one, and others are ErrNoUser: those with "/", NUL and other control
	// characters or octets that are not UTF-8, longer than 255 octets, empty, or
	// beginning with ".".
	Root string

	// Path, if not nil, says where a user's tree is, in place of Root, and says
	// ErrNoUser. What it gets is as it came to Open.
	Path func(user string) (string, error)

	// Inbox, if not nil, says which file is a user's INBOX, such as
	// "/var/mail/" + user. Without Path it is asked for the names only that Root
	// takes. Nil: the file "inbox" in the user's tree.
	Inbox func(user string) (string, error)

	// Index is a folder for what the store keeps beside the mail, for where that
	// must not be in the user's tree: it has a folder for each user. The names of
	// users must be as for Root then. Empty: ".imap/.mailparts" in the tree.
	Index string

	// Locks are taken to read and to write a file. Zero: see Locks.
	Locks Locks

	// Poll, if not zero, is how often to look for changes in what is watched
	// (mailparts.Watcher). Zero: the system tells of them where it can, and a look
	// every two seconds must do on network file systems and where watches run out.
	Poll time.Duration

	// Logger is told what was repaired and what was left alone. Nil: nobody.
	Logger *slog.Logger

	fsys  disk.FS // nil: disk.OS
	once  sync.Once
	log   *slog.Logger
	locks *locker
	wrong error // with the fields

	mu    sync.Mutex
	boxes map[string]weak.Pointer[box] // by the file's path
}

// Open returns the user's mail, and first makes the tree, durably, if it is not
// there. ErrNoUser is for names that Root or Index cannot take, and what Path and
// Inbox return as an error it returns too.
func (b *Backend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	b.once.Do(b.setUp)
	if b.wrong != nil {
		return nil, b.wrong
	}
	s, err := b.store(user)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{s.root, s.side} {
		if err := disk.MkdirAll(b.fsys, dir, dirMode); err != nil {
			return nil, quota(err)
		}
	}
	if err := s.finishRename(ctx); err != nil {
		return nil, err
	}
	if _, err := s.open(ctx, inbox); err != nil {
		return nil, err
	}
	return s, nil
}

const (
	dirMode  = 0o700
	fileMode = 0o600
)

var errNoPlace = errors.New("mbox: Backend has neither Root nor Path")

// store says where a user's files are.
func (b *Backend) store(user string) (*store, error) {
	s := &store{backend: b}
	var err error
	switch {
	case b.Path == nil && b.Root == "":
		return nil, errNoPlace
	case (b.Path == nil || b.Index != "") && !isUser(user):
		return nil, mailparts.ErrNoUser
	case b.Path == nil:
		s.root = filepath.Join(b.Root, user)
	default:
		if s.root, err = b.Path(user); err != nil {
			return nil, err
		}
		if s.root == "" {
			return nil, errors.New("mbox: Path says nothing and no error")
		}
		s.root = filepath.Clean(s.root)
	}
	s.inbox = filepath.Join(s.root, inboxFile)
	if b.Inbox != nil {
		if s.inbox, err = b.Inbox(user); err != nil {
			return nil, err
		}
		if s.inbox == "" {
			return nil, errors.New("mbox: Inbox says nothing and no error")
		}
		s.inbox = filepath.Clean(s.inbox)
	}
	s.side = filepath.Join(s.root, sideFolder)
	if b.Index != "" {
		s.side = filepath.Join(b.Index, user)
	}
	return s, nil
}

// isUser reports whether a folder may have a user's name.
func isUser(user string) bool {
	return user != "" && user[0] != '.' && len(user) <= maxName && utf8.ValidString(user) &&
		!strings.ContainsFunc(user, func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' || r == filepath.Separator })
}

func (b *Backend) setUp() {
	if b.fsys == nil {
		b.fsys = disk.OS{}
	}
	b.log = cmp.Or(b.Logger, slog.New(slog.DiscardHandler))
	b.locks, b.wrong = newLocker(b.Locks, b.fsys, b.log)
	b.boxes = map[string]weak.Pointer[box]{}
}

// share returns the one box of all handles to a mailbox. A box for what the file
// was before stays with its handles.
func (b *Backend) share(s *store, name, path string, id identity) *box {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.boxes[path].Value(); x != nil && x.is(id) && !x.isGone() {
		return x
	}
	x := newBox(s, name, path, id)
	b.boxes[path] = weak.Make(x)
	runtime.AddCleanup(x, b.forget, path)
	return x
}

// forget drops the entry of a box that nobody has.
func (b *Backend) forget(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.boxes[path].Value() == nil {
		delete(b.boxes, path)
	}
}
