package maildir_test

import (
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

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
