package maildir_test

import (
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// manage is a set of mailboxes, changed, and what may be found after a crash: by
// the content of each, its names.
func manage(t *testing.T, b *maildir.Backend) (answered map[string]bool) {
	answered = map[string]bool{}
	store, err := b.Open(t.Context(), "user")
	if err != nil {
		return answered
	}
	m := store.(mailparts.Manager)
	answered["rename"] = m.Rename(t.Context(), "a", "x/y") == nil
	answered["create"] = m.Create(t.Context(), "n/e/w") == nil
	answered["delete"] = m.Delete(t.Context(), "d") == nil
	answered["subscribe"] = store.(mailparts.Subscriber).Subscribe(t.Context(), "new", true) == nil
	return answered
}

func setUpFolders(t *testing.T, b *maildir.Backend) {
	store := openStore(t, b)
	for _, name := range []string{"a", "a/b", "d", "d/e"} {
		must(t, store.(mailparts.Manager).Create(t.Context(), name))
		mb, err := store.Mailbox(t.Context(), name)
		must(t, err)
		deliver(t, mb, "in "+name)
	}
	must(t, store.(mailparts.Subscriber).Subscribe(t.Context(), "old", true))
}

func checkFolders(t *testing.T, b *maildir.Backend, answered map[string]bool) {
	store := openStore(t, b)
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
	oneOf("d/e", true, "d/e")
	of := map[string]uint32{}
	for validity, name := range validities {
		of[name] = validity
	}
	if of["d"] > of["d/e"] {
		t.Error("the mailbox that was not deleted has got a new UIDVALIDITY")
	}
	if got := where["1 [] in d"]; answered["delete"] && len(got) > 0 {
		t.Errorf("the mailbox that was deleted is %q", got)
	}
	if answered["create"] && !slices.Contains(list(t, store), "n/e/w") {
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
	for _, name := range []string{"a", "n/e/w", "x/y", "d"} {
		must(t, m.Create(t.Context(), name))
		mb, err := store.Mailbox(t.Context(), name)
		must(t, err)
		if other, twice := validities[status(t, mb).UIDValidity]; twice {
			t.Errorf("the new %s has the UIDVALIDITY that %s had", name, other)
		}
	}
}

// inLayouts runs a test with Backends of each layout.
func inLayouts(t *testing.T, test func(t *testing.T, on func(disk.FS) *maildir.Backend)) {
	for name, layout := range map[string]maildir.Layout{"Maildir++": maildir.MaildirPlusPlus, "Folders": maildir.Folders} {
		t.Run(name, func(t *testing.T) {
			test(t, func(fsys disk.FS) *maildir.Backend {
				b := on(fsys)
				b.Layout = layout
				return b
			})
		})
	}
}

func TestCrashFolders(t *testing.T) {
	inLayouts(t, func(t *testing.T, on func(disk.FS) *maildir.Backend) {
		disktest.Crash(t, func(fsys *disktest.FS) {
			synctest.Test(t, func(t *testing.T) { setUpFolders(t, on(fsys)) })
		}, func(fsys *disktest.FS) (answered map[string]bool) {
			synctest.Test(t, func(t *testing.T) { answered = manage(t, on(fsys)) })
			return answered
		}, func(t *testing.T, after *disktest.FS, answered map[string]bool) {
			synctest.Test(t, func(t *testing.T) { checkFolders(t, on(after), answered) })
		})
	})
}

// A call that fails has done nothing.
func TestFailFolders(t *testing.T) {
	inLayouts(t, func(t *testing.T, on func(disk.FS) *maildir.Backend) {
		disktest.Fail(t, syscall.ENOSPC, func(fsys *disktest.FS) {
			synctest.Test(t, func(t *testing.T) { setUpFolders(t, on(fsys)) })
		}, func(fsys *disktest.FS) (answered map[string]bool) {
			synctest.Test(t, func(t *testing.T) { answered = manage(t, on(fsys)) })
			return answered
		}, func(t *testing.T, after *disktest.FS, answered map[string]bool) {
			synctest.Test(t, func(t *testing.T) {
				names := list(t, openStore(t, on(after)))
				if answered["rename"] == slices.Contains(names, "a") || answered["rename"] == slices.Contains(names, "a/b") ||
					answered["create"] != slices.Contains(names, "n/e/w") || answered["delete"] == slices.Contains(names, "d") {
					t.Errorf("answered %v, and the mailboxes are %q", answered, names)
				}
				checkFolders(t, on(after), answered)
			})
		})
	})
}
