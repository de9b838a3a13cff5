package maildir_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

func list(t testing.TB, s mailparts.Store) (names []string) {
	t.Helper()
	for info, err := range s.List(context.Background()) {
		must(t, err)
		names = append(names, info.Name)
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
			if left := append(in(fsys, ".a/tmp/*"), in(fsys, ".b/tmp/*")...); len(left) > 0 {
				t.Errorf("left in tmp: %q", left)
			}
		})
	}
}

// manage is a set of mailboxes, changed, and what may be found after a crash: by
// the content of each, its names.
func manage(t *testing.T, fsys *disktest.FS) (answered map[string]bool) {
	answered = map[string]bool{}
	store, err := on(fsys).Open(t.Context(), "user")
	if err != nil {
		return answered
	}
	m := store.(mailparts.Manager)
	answered["rename"] = m.Rename(t.Context(), "a", "x/y") == nil
	answered["create"] = m.Create(t.Context(), "new") == nil
	answered["delete"] = m.Delete(t.Context(), "d") == nil
	answered["subscribe"] = store.(mailparts.Subscriber).Subscribe(t.Context(), "new", true) == nil
	return answered
}

func setUpFolders(t *testing.T, fsys *disktest.FS) {
	store := openStore(t, on(fsys))
	for _, name := range []string{"a", "a/b", "d"} {
		must(t, store.(mailparts.Manager).Create(t.Context(), name))
		mb, err := store.Mailbox(t.Context(), name)
		must(t, err)
		deliver(t, mb, "in "+name)
	}
	must(t, store.(mailparts.Subscriber).Subscribe(t.Context(), "old", true))
}

func checkFolders(t *testing.T, fsys *disktest.FS, answered map[string]bool) {
	store := openStore(t, on(fsys))
	where := map[string][]string{}
	validities := map[uint32]string{}
	for _, name := range list(t, store) {
		mb, err := store.Mailbox(t.Context(), name)
		must(t, err)
		st := status(t, mb)
		if other, twice := validities[st.UIDValidity]; twice {
			t.Errorf("%s and %s have one UIDVALIDITY", name, other)
		}
		validities[st.UIDValidity] = name
		lines := describe(t, mb)
		if len(lines) > 1 {
			t.Errorf("%s has %q", name, lines)
		}
		if len(lines) == 1 {
			where[lines[0]] = append(where[lines[0]], name)
		}
		deliver(t, mb, "more")
	}
	oneOf := func(content string, done bool, names ...string) {
		if done {
			names = names[:1]
		}
		if got := where["1 [] in "+content]; len(got) != 1 || !slices.Contains(names, got[0]) {
			t.Errorf("what was %s is %q, want one of %q", content, got, names)
		}
	}
	oneOf("a", answered["rename"], "x/y", "a")
	oneOf("a/b", answered["rename"], "x/y/b", "a/b")
	if got := where["1 [] in d"]; answered["delete"] && len(got) > 0 {
		t.Errorf("the mailbox that was deleted is %q", got)
	}
	if answered["create"] && !slices.Contains(list(t, store), "new") {
		t.Error("the mailbox that was created is lost")
	}
	subs, err := store.(mailparts.Subscriber).Subscribed(t.Context())
	must(t, err)
	if !slices.Contains(subs, "old") || answered["subscribe"] && !slices.Contains(subs, "new") {
		t.Errorf("subscribed to %q", subs)
	}
	m := store.(mailparts.Manager)
	for _, name := range list(t, store)[1:] { // whatever there is can go
		must(t, m.Delete(t.Context(), name))
	}
	for _, name := range []string{"a", "new", "x/y"} {
		must(t, m.Create(t.Context(), name))
		mb, err := store.Mailbox(t.Context(), name)
		must(t, err)
		if other, twice := validities[status(t, mb).UIDValidity]; twice {
			t.Errorf("the new %s has the UIDVALIDITY that %s had", name, other)
		}
	}
}

func TestCrashFolders(t *testing.T) {
	disktest.Crash(t, func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) { setUpFolders(t, fsys) })
	}, func(fsys *disktest.FS) (answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) { answered = manage(t, fsys) })
		return answered
	}, func(t *testing.T, after *disktest.FS, answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) { checkFolders(t, after, answered) })
	})
}

// A call that fails has done nothing.
func TestFailFolders(t *testing.T) {
	disktest.Fail(t, syscall.ENOSPC, func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) { setUpFolders(t, fsys) })
	}, func(fsys *disktest.FS) (answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) { answered = manage(t, fsys) })
		return answered
	}, func(t *testing.T, after *disktest.FS, answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) {
			names := list(t, openStore(t, on(after)))
			if answered["rename"] == slices.Contains(names, "a") || answered["rename"] == slices.Contains(names, "a/b") ||
				answered["create"] != slices.Contains(names, "new") || answered["delete"] == slices.Contains(names, "d") {
				t.Errorf("answered %v, and the mailboxes are %q", answered, names)
			}
			checkFolders(t, after, answered)
		})
	})
}

func TestSubscriptions(t *testing.T) {
	for name, tc := range map[string]struct{ before, after string }{
		"none":    {"", "V\t2\n\nä/b\n"},
		"dovecot": {"V\t2\n\nFoo\tBar\n&ANw-n&AO8-\n", "V\t2\n\nFoo\tBar\n&ANw-n&AO8-\n&AOQ-\tb\n"},
		"old":     {"Foo.Bar\n&ANw-n&AO8-\n\xff\n", "Foo.Bar\n&ANw-n&AO8-\n\xff\n&AOQ-.b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := disktest.New()
			s := openStore(t, on(fsys)).(mailparts.Subscriber)
			file := root + "/user/subscriptions"
			want := []string{"ä/b"}
			if tc.before != "" {
				put(t, fsys, file, tc.before)
				want = []string{"Foo/Bar", "Ünï", "ä/b"}
			}
			must(t, s.Subscribe(t.Context(), "none", false))
			must(t, s.Subscribe(t.Context(), "ä/b", true))
			must(t, s.Subscribe(t.Context(), "ä/b", true))
			if got := get(t, fsys, file); got != strings.Replace(tc.after, "ä/b", "&AOQ-\tb", 1) {
				t.Errorf("the file is %q, want %q", got, tc.after)
			}
			got, err := s.Subscribed(t.Context())
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("subscribed to %q, %v, want %q", got, err, want)
			}
			must(t, s.Subscribe(t.Context(), "ä/b", false))
			if got, err := s.Subscribed(t.Context()); err != nil || slices.Contains(got, "ä/b") {
				t.Errorf("still subscribed to %q, %v", got, err)
			}
			if err := s.Subscribe(t.Context(), "a.b", true); !errors.Is(err, mailparts.ErrBadName) {
				t.Errorf("a name that cannot be: %v", err)
			}
		})
	}
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
