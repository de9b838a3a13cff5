package maildir_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

func list(t testing.TB, s mailparts.Store) (names []string) {
	t.Helper()
	for info, err := range s.List(context.Background()) {
		must(t, err)
		if !info.NoSelect {
			names = append(names, info.Name)
		}
	}
	return names
}

func wantNames(t testing.TB, s mailparts.Store, names ...string) {
	t.Helper()
	if got := list(t, s); !slices.Equal(got, names) {
		t.Errorf("mailboxes are %q, want %q", got, names)
	}
}

func TestFolders(t *testing.T) {
	fsys := disktest.New()
	s := openStore(t, on(fsys))
	m := s.(mailparts.Manager)
	for _, name := range []string{"a", "a/b/c", "ä", "ab"} {
		must(t, m.Create(t.Context(), name))
	}
	put(t, fsys, root+"/user/.no-folder", "")
	must(t, fsys.Mkdir(root+"/user/.b\xc3\xa4d", 0o700))
	must(t, fsys.Mkdir(root+"/user/.courier", 0o700)) // made by another program, and not complete
	wantNames(t, s, "INBOX", "a", "a/b/c", "ab", "courier", "ä")

	mb := openMailbox(t, on(fsys), "courier")
	deliver(t, mb, "x")
	want(t, mb, "1 [] x")

	for _, err := range []error{m.Create(t.Context(), "INBOX"), m.Create(t.Context(), "a"), m.Create(t.Context(), "no-folder"),
		m.Rename(t.Context(), "a", "ab"), m.Rename(t.Context(), "a", "a"), m.Rename(t.Context(), "a", "INBOX")} {
		if !errors.Is(err, mailparts.ErrExists) {
			t.Errorf("%v, want ErrExists", err)
		}
	}
	for _, err := range []error{m.Delete(t.Context(), "none"), m.Delete(t.Context(), "a/b"), m.Delete(t.Context(), "no-folder"), m.Rename(t.Context(), "a/b", "c")} {
		if !errors.Is(err, mailparts.ErrNoMailbox) {
			t.Errorf("%v, want ErrNoMailbox", err)
		}
	}
	for _, err := range []error{m.Delete(t.Context(), "INBOX"), m.Rename(t.Context(), "INBOX", "c")} {
		if !errors.Is(err, mailparts.ErrPermission) {
			t.Errorf("%v, want ErrPermission", err)
		}
	}
	must(t, m.Rename(t.Context(), "a", "z/z"))
	must(t, m.Delete(t.Context(), "z/z"))
	wantNames(t, s, "INBOX", "ab", "courier", "z/z/b/c", "ä")
	if err := m.Rename(t.Context(), "z/z/b/c", strings.Repeat("x", 254)); err != nil {
		t.Error(err)
	}
	for name := range fsys.Files() {
		if strings.Contains(name, "..mailparts") {
			t.Errorf("%s is left of a deleted mailbox", name)
		}
	}
}

// Delete follows no link out of the tree.
func TestDeleteLinks(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	s := openStore(t, b)
	m := s.(mailparts.Manager)
	must(t, m.Create(t.Context(), "a"))
	outside := t.TempDir()
	must(t, os.WriteFile(outside+"/file", nil, 0o600))
	must(t, os.Symlink(outside, b.Root+"/user/.a/new/link"))
	must(t, os.MkdirAll(b.Root+"/user/.a/deep/er", 0o700))
	must(t, m.Delete(t.Context(), "a"))
	wantNames(t, s, "INBOX")
	if _, err := os.Stat(outside + "/file"); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(b.Root + "/user/..*"); len(left) > 0 || err != nil {
		t.Errorf("left: %q, %v", left, err)
	}
}

// A child whose new name is too long keeps all as it was.
func TestRenameTooLong(t *testing.T) {
	s := openStore(t, on(disktest.New()))
	m := s.(mailparts.Manager)
	must(t, m.Create(t.Context(), "a"))
	must(t, m.Create(t.Context(), "a/child"))
	if err := m.Rename(t.Context(), "a", strings.Repeat("x", 250)); !errors.Is(err, mailparts.ErrBadName) {
		t.Errorf("%v, want ErrBadName", err)
	}
	wantNames(t, s, "INBOX", "a", "a/child")
}

// A handle follows its mailbox when another process renames it, and ends with it.
func TestHandleFollows(t *testing.T) {
	inLayouts(t, func(t *testing.T, on func(disk.FS) *maildir.Backend) {
		fsys := disktest.New()
		s, other := openStore(t, on(fsys)), openStore(t, on(fsys)).(mailparts.Manager)
		must(t, other.Create(t.Context(), "a"))
		mb, err := s.Mailbox(t.Context(), "a")
		must(t, err)
		deliver(t, mb, "one")
		want(t, mb, "1 [] one")
		must(t, other.Rename(t.Context(), "a", "b"))
		must(t, other.Create(t.Context(), "a")) // another one
		want(t, mb, "1 [] one")
		deliver(t, mb, "two", mailparts.FlagSeen)
		must(t, other.Rename(t.Context(), "b", "c/d"))
		if _, _, err := mb.SetFlags(t.Context(), uids(1), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagDeleted}}); err != nil {
			t.Fatal(err)
		}
		must(t, other.Rename(t.Context(), "c/d", "e"))
		must(t, mb.Expunge(t.Context(), mailparts.AllUIDs(), mailparts.FlagDeleted))
		want(t, mb, `2 [\Seen] two`)
		must(t, other.Rename(t.Context(), "e", "f"))
		if body, err := readBody(mb, 2); body != "two" || err != nil {
			t.Errorf("Body after a rename: %q, %v", body, err)
		}
		fresh, err := s.Mailbox(t.Context(), "a")
		must(t, err)
		want(t, fresh)
		must(t, other.Delete(t.Context(), "f"))
		for call, err := range calls(mb) {
			if !errors.Is(err, mailparts.ErrNoMailbox) {
				t.Errorf("%s after Delete: %v, want ErrNoMailbox", call, err)
			}
		}
	})
}

// A handle ends with the UIDVALIDITY too, and so does a listing under way.
func TestHandleEnds(t *testing.T) {
	fsys := disktest.New()
	s, other := openStore(t, on(fsys)), openStore(t, on(fsys)).(mailparts.Manager)
	for name, end := range map[string]func() error{
		"deleted": func() error { return other.Delete(t.Context(), "a") },
		"another list": func() error {
			put(t, fsys, root+"/user/.a/dovecot-uidlist.new", "3 V7 N1\n")
			return fsys.Rename(root+"/user/.a/dovecot-uidlist.new", root+"/user/.a/dovecot-uidlist")
		},
		"another list under another name": func() error {
			put(t, fsys, root+"/user/.a/dovecot-uidlist", "3 V8 N1\n")
			return fsys.Rename(root+"/user/.a", root+"/user/.b")
		},
		"no list": func() error { return fsys.Remove(root + "/user/.a/dovecot-uidlist") },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, other.Create(t.Context(), "a"))
			mb, err := s.Mailbox(t.Context(), "a")
			must(t, err)
			for range 200 {
				deliver(t, mb, "x")
			}
			n := 0
			for _, merr := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
				if err = merr; n == 0 {
					must(t, end())
					mb.Status(t.Context())
				}
				n++
			}
			if !errors.Is(err, mailparts.ErrNoMailbox) || n > 100 {
				t.Errorf("Messages yields %d times and then %v, want ErrNoMailbox", n, err)
			}
			for call, err := range calls(mb) {
				if !errors.Is(err, mailparts.ErrNoMailbox) {
					t.Errorf("%s: %v, want ErrNoMailbox", call, err)
				}
			}
			if mb, err = s.Mailbox(t.Context(), "a"); err == nil {
				status(t, mb)
				must(t, other.Delete(t.Context(), "a"))
			}
		})
	}
}

// calls is every method of a mailbox, with the error of each.
func calls(mb mailparts.Mailbox) map[string]error {
	ctx := context.Background()
	errs := map[string]error{"Expunge": mb.Expunge(ctx, mailparts.AllUIDs(), "")}
	_, errs["Status"] = mb.Status(ctx)
	_, errs["Body"] = mb.Body(ctx, 2)
	_, errs["Append"] = mailparts.Append(ctx, mb, incoming("x"))
	_, _, errs["SetFlags"] = mb.SetFlags(ctx, mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
	_, errs["Lock"] = mb.(mailparts.Locker).Lock(ctx)
	for _, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		errs["Messages"] = err
	}
	return errs
}

// A renaming while a message is written: it is delivered under the new name.
func TestRenameDuringAppend(t *testing.T) {
	inLayouts(t, func(t *testing.T, on func(disk.FS) *maildir.Backend) {
		for op, n := range map[string]int{"openfile": 1, "write": 1, "sync": 1, "close": 1, "lock": 1, "syncdir": 2} {
			t.Run(op, func(t *testing.T) {
				fsys := disktest.New()
				s, other := openStore(t, on(fsys)), openStore(t, on(fsys)).(mailparts.Manager)
				must(t, other.Create(t.Context(), "a"))
				mb, err := s.Mailbox(t.Context(), "a")
				must(t, err)
				interfere(fsys, op, n, func() {
					fsys.Before = nil
					must(t, other.Rename(t.Context(), "a", "b"))
					must(t, other.Create(t.Context(), "a"))
				})
				deliver(t, mb, "one")
				want(t, openMailbox(t, on(fsys), "b"), "1 [] one")
				want(t, openMailbox(t, on(fsys), "a"))
				if left := slices.Concat(in(fsys, "*a/tmp/*"), in(fsys, "*b/tmp/*")); len(left) > 0 {
					t.Errorf("left in tmp: %q", left)
				}
			})
		}
	})
}

func TestUsers(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	for _, user := range []string{"", ".", "..", "/", "a/b", "../x", ".hidden", "a\x00", "a\n", "\xff", strings.Repeat("x", 256)} {
		if _, err := b.Open(t.Context(), user); !errors.Is(err, mailparts.ErrNoUser) {
			t.Errorf("Open(%.20q): %v, want ErrNoUser", user, err)
		}
	}
	if exists(fsys, root) {
		t.Error("a user who is none has a tree")
	}
	if _, err := new(maildir.Backend).Open(t.Context(), "user"); err == nil {
		t.Error("Open without Root and Path succeeded")
	}

	own := &maildir.Backend{Path: func(user string) (string, error) {
		if user != "odd/user" {
			return "", mailparts.ErrNoUser
		}
		return "/elsewhere/mail/", nil
	}}
	own.SetFS(fsys)
	if _, err := own.Open(t.Context(), "user"); !errors.Is(err, mailparts.ErrNoUser) {
		t.Errorf("Open of a user that Path does not know: %v", err)
	}
	s, err := own.Open(t.Context(), "odd/user")
	must(t, err)
	mb, err := s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	deliver(t, mb, "x")
	if !exists(fsys, "/elsewhere/mail/dovecot-uidlist") {
		t.Error("the tree is not where Path says")
	}
}
