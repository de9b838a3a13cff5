package maildir

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"weak"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/crlf"
	"github.com/mailparts/mailparts/internal/disk"
)

// Backend is a mailparts.Backend of trees of Maildirs, one per user. The zero value
// with Root set works. Its fields may not change after the first Open.
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

	// Layout says where in a tree the mailboxes are. The zero value is Maildir++.
	Layout Layout

	// UTF8 has names of mailboxes on disk in UTF-8, as Dovecot's setting of that
	// name, and otherwise in modified UTF-7.
	UTF8 bool

	// CRLF has new messages on disk as they are on the wire, with CRLF, so that parts
	// of them are read in place. Otherwise they get LF, as most programs for Maildirs
	// expect it. A message is read by what it is on disk, whatever this says, and
	// copied as it is.
	CRLF bool

	// Hostname makes the names of files unique among the hosts that share a
	// tree. Empty: the machine's.
	Hostname string

	// Quota, if not nil, says at each Open what the user's tree may hold. Limits
	// go into the first line of the tree's maildirsize, where Courier, maildrop
	// and Dovecot find them, in the place of others. Without Quota, and for users
	// for whom it returns no limits, those that are there are obeyed; a tree
	// without a maildirsize has no quota.
	Quota func(user string) (Limits, error)

	// Index is a folder for the mailboxes' indexes and caches, which is best on a
	// local disk where the trees are on a network's: then each host may have its own.
	// Empty: each mailbox's folder has its index.
	Index string

	// UIDL, if not nil, makes the POP3 unique-ids of messages for which the uidlist
	// has none, as the server before did. Nil: pop3 makes them.
	UIDL UIDL

	// Poll, if not zero, is how often to look for changes in what is watched
	// (mailparts.Watcher). Zero: the system tells of them where it can, and
	// where it cannot, such as on network file systems, two seconds.
	Poll time.Duration

	// Logger is told what was repaired and what was left alone. Nil: nobody.
	Logger *slog.Logger

	fsys    disk.FS // nil: disk.OS
	once    sync.Once
	log     *slog.Logger
	machine string // the real host name, for lock files
	names   namer
	writers sync.Pool // of *crlf.Writer

	mu    sync.Mutex
	boxes map[string]weak.Pointer[box] // by folder
}

// Open returns the user's mail, and first makes the tree with its INBOX, durably,
// if it is not there. ErrNoUser is for names that Root cannot take, and what Path and
// Quota return as an error it returns too.
func (b *Backend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	root, err := b.path(user)
	if err != nil {
		return nil, err
	}
	b.once.Do(b.setUp)
	s := &store{backend: b, root: root}
	if _, err := s.open(ctx, inbox); err != nil {
		return nil, err
	}
	if err := s.setQuota(ctx, user); err != nil {
		return nil, err
	}
	return s, nil
}

func (b *Backend) path(user string) (string, error) {
	if b.Path != nil {
		root, err := b.Path(user)
		if err == nil && root == "" {
			err = errors.New("maildir: Path says nothing and no error")
		}
		return filepath.Clean(root), err
	}
	if b.Root == "" {
		return "", errors.New("maildir: Backend has neither Root nor Path")
	}
	if user == "" || user[0] == '.' || len(user) > maxName || !utf8.ValidString(user) ||
		strings.ContainsFunc(user, func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' || r == filepath.Separator }) {
		return "", mailparts.ErrNoUser
	}
	return filepath.Join(b.Root, user), nil
}

func (b *Backend) setUp() {
	if b.fsys == nil {
		b.fsys = disk.OS{}
	}
	b.log = cmp.Or(b.Logger, slog.New(slog.DiscardHandler))
	b.machine, _ = os.Hostname()
	b.names.host = safeHost(cmp.Or(b.Hostname, b.machine))
	b.names.random = rand.Uint32()
	b.writers.New = func() any { return &crlf.Writer{KeepCRLF: b.CRLF} }
	b.boxes = map[string]weak.Pointer[box]{}
}

// share returns the one box of all handles to a mailbox. A box for what the folder
// was before stays with its handles.
func (b *Backend) share(s *store, dir string, id identity) *box {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.boxes[dir].Value(); x != nil && x.is(id) && !x.isGone() {
		return x
	}
	x := &box{Backend: b, root: s.root, identity: id, dir: dir, guard: make(chan struct{}, 1), learned: map[uint32]learned{}, flags: map[flagSet][]mailparts.Flag{}}
	b.boxes[dir] = weak.Make(x)
	runtime.AddCleanup(x, b.forget, dir)
	return x
}

// forget drops the entry of a box that nobody has.
func (b *Backend) forget(dir string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.boxes[dir].Value() == nil {
		delete(b.boxes, dir)
	}
}
