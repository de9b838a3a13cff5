package maildir_test

import (
	"errors"
	"fmt"
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

// inFolders is a tree of one folder per mailbox.
func inFolders(fsys disk.FS) *maildir.Backend {
	b := on(fsys)
	b.Layout = maildir.Folders
	return b
}

// folderList is what List says: names, those that are only names in brackets.
func folderList(t testing.TB, s mailparts.Store) string {
	t.Helper()
	var names []string
	for info, err := range s.List(t.Context()) {
		must(t, err)
		if info.NoSelect {
			info.Name = "(" + info.Name + ")"
		}
		names = append(names, info.Name)
	}
	return strings.Join(names, " ")
}

func wantListing(t testing.TB, s mailparts.Store, want string) {
	t.Helper()
	if got := folderList(t, s); got != want {
		t.Errorf("mailboxes are %s, want %s", got, want)
	}
}

// Where each mailbox is, what of it is shown, and what goes with the last that
// needs it.
func TestLayoutFolders(t *testing.T) {
	fsys := disktest.New()
	s := openStore(t, inFolders(fsys))
	m := s.(mailparts.Manager)
	user := root + "/user/"
	for _, name := range []string{"a/b/c", "Entwürfe", "INBOX/x", "a/b.c"} {
		must(t, m.Create(t.Context(), name))
	}
	for _, dir := range []string{"a/b/c", "Entw&APw-rfe", "INBOX/x", "a/b.c"} {
		if !exists(fsys, user+dir+"/dovecot-uidlist") || exists(fsys, user+dir+"/maildirfolder") {
			t.Errorf("the folder %s has no uidlist, or is marked as one of Maildir++", dir)
		}
	}
	wantListing(t, s, "INBOX Entwürfe INBOX/x (a) (a/b) a/b.c a/b/c")

	// Of others: a mailbox of a name that none can have here, folders that are none,
	// a mailbox that is not complete.
	for _, dir := range []string{".hidden/cur", "empty", "none/new", "less/cur", "a/B/cur", "f&/cur"} {
		must(t, disk.MkdirAll(fsys, user+dir, 0o700))
	}
	put(t, fsys, user+"file", "")
	wantListing(t, s, "INBOX Entwürfe INBOX/x (a) a/B (a/b) a/b.c a/b/c less")
	mb := openMailbox(t, inFolders(fsys), "less")
	deliver(t, mb, "x")
	want(t, mb, "1 [] x")

	must(t, m.Create(t.Context(), "a")) // what was a name only
	wantListing(t, s, "INBOX Entwürfe INBOX/x a a/B (a/b) a/b.c a/b/c less")
	must(t, m.Delete(t.Context(), "a")) // and is one again
	must(t, m.Delete(t.Context(), "a/b.c"))
	wantListing(t, s, "INBOX Entwürfe INBOX/x (a) a/B (a/b) a/b/c less")
	must(t, m.Rename(t.Context(), "a/b/c", "z/y/x"))
	wantListing(t, s, "INBOX Entwürfe INBOX/x (a) a/B less (z) (z/y) z/y/x")
	must(t, m.Delete(t.Context(), "z/y/x"))
	must(t, m.Delete(t.Context(), "a/B"))
	for _, dir := range []string{"a", "z"} {
		if exists(fsys, user+dir) {
			t.Errorf("the folder %s is left, which nobody needs", dir)
		}
	}
	if left := in(fsys, "tmp/*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func TestLayoutErrors(t *testing.T) {
	fsys := disktest.New()
	s := openStore(t, inFolders(fsys))
	m := s.(mailparts.Manager)
	for _, name := range []string{"a", "a/b", "n/c"} {
		must(t, m.Create(t.Context(), name))
		deliver(t, openMailbox(t, inFolders(fsys), name), "in "+name)
	}
	put(t, fsys, root+"/user/file", "")
	for call, tc := range map[string]struct{ err, want error }{
		"create a mailbox":          {m.Create(t.Context(), "a"), mailparts.ErrExists},
		"create a file":             {m.Create(t.Context(), "file"), mailparts.ErrExists},
		"create below a file":       {m.Create(t.Context(), "file/x/y"), mailparts.ErrBadName},
		"delete a name":             {m.Delete(t.Context(), "n"), mailparts.ErrNoMailbox},
		"delete a file":             {m.Delete(t.Context(), "file"), mailparts.ErrNoMailbox},
		"rename a name":             {m.Rename(t.Context(), "n", "x"), mailparts.ErrNoMailbox},
		"rename to a mailbox":       {m.Rename(t.Context(), "n/c", "a"), mailparts.ErrExists},
		"rename to a name":          {m.Rename(t.Context(), "a", "n"), mailparts.ErrExists},
		"rename to itself":          {m.Rename(t.Context(), "a", "a"), mailparts.ErrExists},
		"rename to a parent":        {m.Rename(t.Context(), "n/c", "n"), mailparts.ErrExists},
		"rename to a child":         {m.Rename(t.Context(), "a", "a/b"), mailparts.ErrExists},
		"rename below itself":       {m.Rename(t.Context(), "a", "a/x/y"), mailparts.ErrBadName},
		"rename below a file":       {m.Rename(t.Context(), "a", "file/x"), mailparts.ErrBadName},
		"rename to a file":          {m.Rename(t.Context(), "a", "file"), mailparts.ErrExists},
		"rename a child too far":    {m.Rename(t.Context(), "a", strings.Repeat("x/", 510)+"xxxx"), mailparts.ErrBadName},
		"rename INBOX":              {m.Rename(t.Context(), "INBOX", "x"), mailparts.ErrPermission},
		"rename to INBOX":           {m.Rename(t.Context(), "a", "INBOX"), mailparts.ErrExists},
		"delete what is in no path": {m.Delete(t.Context(), "file/x"), mailparts.ErrNoMailbox},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: %v, want %v", call, tc.err, tc.want)
		}
	}
	if _, err := s.Mailbox(t.Context(), "n"); !errors.Is(err, mailparts.ErrNoMailbox) {
		t.Errorf("Mailbox of a name only: %v", err)
	}
	wantListing(t, s, "INBOX a a/b (n) n/c")
	for _, name := range []string{"a", "a/b", "n/c"} {
		want(t, openMailbox(t, inFolders(fsys), name), "1 [] in "+name)
	}
}

// Dovecot makes a mailbox in a folder in the moment in which it is deleted: the
// mailbox stays.
func TestDeleteMeetsCreate(t *testing.T) {
	fsys := disktest.New()
	m := openStore(t, inFolders(fsys)).(mailparts.Manager)
	must(t, m.Create(t.Context(), "a"))
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "rename" && op.Path == root+"/user/a" {
			fsys.Before = nil
			must(t, disk.MkdirAll(fsys, root+"/user/a/b/cur", 0o700))
		}
		return nil
	}
	must(t, m.Delete(t.Context(), "a"))
	if fsys.Before != nil {
		t.Error("Delete renames no folder")
	}
	wantListing(t, openStore(t, inFolders(fsys)), "INBOX (a) a/b")
}

// A mailbox with a name that we do not show is not deleted with the one around it.
func TestDeleteLeavesOthers(t *testing.T) {
	fsys := disktest.New()
	m := openStore(t, inFolders(fsys)).(mailparts.Manager)
	must(t, m.Create(t.Context(), "a"))
	must(t, disk.MkdirAll(fsys, root+"/user/a/.hidden/new", 0o700))
	put(t, fsys, root+"/user/a/.hidden/new/1.x", "mail")
	must(t, m.Delete(t.Context(), "a"))
	if got := get(t, fsys, root+"/user/a/.hidden/new/1.x"); got != "mail" {
		t.Errorf("it holds %q", got)
	}
	if exists(fsys, root+"/user/a/new") {
		t.Error("the mailbox is still there")
	}
}

// A symbolic link to a folder is a mailbox, and no more: no name leads on from
// there, and who deletes it deletes the link.
func TestLayoutLinks(t *testing.T) {
	for _, layout := range []maildir.Layout{maildir.MaildirPlusPlus, maildir.Folders} {
		b := &maildir.Backend{Root: t.TempDir(), Layout: layout}
		s := openStore(t, b)
		m := s.(mailparts.Manager)
		path := func(name string) string {
			if layout == maildir.MaildirPlusPlus {
				name = "." + strings.ReplaceAll(name, "/", ".")
			}
			return filepath.Join(b.Root, "user", name)
		}
		outside := t.TempDir()
		for _, name := range []string{"box/cur", "box/new", "box/tmp", "box/sub/cur", "box/.sub/cur"} {
			must(t, os.MkdirAll(filepath.Join(outside, name), 0o700))
		}
		must(t, os.WriteFile(outside+"/box/new/1.x", []byte("theirs"), 0o600))
		must(t, m.Create(t.Context(), "own"))
		must(t, os.Symlink(outside+"/box", path("link")))
		must(t, os.Symlink(b.Root+"/user", path("circle")))
		must(t, os.Symlink(outside+"/nothing", path("nowhere")))
		must(t, os.Symlink(path("self"), path("self")))
		wantListing(t, s, "INBOX circle link own")
		want(t, openMailbox(t, &maildir.Backend{Root: b.Root, Layout: layout}, "link"), "1 [] theirs")
		if layout == maildir.Folders {
			if _, err := s.Mailbox(t.Context(), "link/sub"); !errors.Is(err, mailparts.ErrNoMailbox) {
				t.Errorf("Mailbox beyond a link: %v", err)
			}
			for call, err := range map[string]error{
				"Delete":      m.Delete(t.Context(), "link/sub"),
				"Rename from": m.Rename(t.Context(), "link/sub", "x"),
			} {
				if !errors.Is(err, mailparts.ErrNoMailbox) {
					t.Errorf("%s beyond a link: %v", call, err)
				}
			}
			for call, err := range map[string]error{
				"Create":    m.Create(t.Context(), "link/x/y"),
				"Rename to": m.Rename(t.Context(), "own", "link/x/y"),
				"nowhere":   m.Create(t.Context(), "nowhere/x"),
			} {
				if !errors.Is(err, mailparts.ErrBadName) {
					t.Errorf("%s beyond a link: %v", call, err)
				}
			}
		}
		must(t, m.Rename(t.Context(), "link", "renamed"))
		must(t, m.Delete(t.Context(), "renamed"))
		must(t, m.Delete(t.Context(), "circle"))
		wantListing(t, s, "INBOX own")
		for _, name := range []string{"box/new/1.x", "box/sub/cur", "box/.sub/cur"} {
			if _, err := os.Stat(filepath.Join(outside, name)); err != nil {
				t.Errorf("of what the link led to, %v", err)
			}
		}
		if left, err := filepath.Glob(b.Root + "/user/tmp/*"); len(left) > 0 || err != nil {
			t.Errorf("left: %q, %v", left, err)
		}
	}
}

// The quota counts mailboxes wherever they are.
func TestLayoutQuota(t *testing.T) {
	inLayouts(t, func(t *testing.T, on func(disk.FS) *maildir.Backend) {
		fsys := disktest.New()
		b := on(fsys)
		b.Quota = func(string) (maildir.Limits, error) { return maildir.Limits{Storage: 1000}, nil }
		s := openStore(t, b)
		m := s.(mailparts.Manager)
		for _, name := range []string{"a", "a/b", "a/b/c"} {
			must(t, m.Create(t.Context(), name))
			deliver(t, openMailbox(t, b, name), strings.Repeat("x", 100))
		}
		must(t, m.Delete(t.Context(), "a/b"))
		for _, how := range []string{"as it was added up", "as it is counted"} {
			quotas, err := mailparts.QuotaOf(t.Context(), s, "a")
			must(t, err)
			if len(quotas) != 1 || quotas[0].Used != 200 {
				t.Errorf("%s the quota is %+v, want 200 octets", how, quotas)
			}
			put(t, fsys, root+"/user/maildirsize", "1000S\n")
		}
	})
}

// Repair leaves mailboxes with names that we do not show, and removes what is left of
// deleted ones.
func TestLayoutRepair(t *testing.T) {
	fsys := disktest.New()
	b := inFolders(fsys)
	must(t, openStore(t, b).(mailparts.Manager).Create(t.Context(), "a/b"))
	for problem := range b.Check(t.Context(), "user") {
		t.Errorf("in a new tree, %v", problem)
	}
	user := root + "/user/"
	must(t, disk.MkdirAll(fsys, user+"a/.hidden/cur", 0o700))
	must(t, disk.MkdirAll(fsys, user+"tmp/..mailparts-1/cur", 0o700))
	var found []string
	for problem, err := range b.Repair(t.Context(), "user") {
		must(t, err)
		found = append(found, problem.String())
	}
	want := []string{
		user + "a/.hidden: has no name of a mailbox, and nobody sees it",
		user + "tmp/..mailparts-1: is left of a mailbox that was deleted (remove it)",
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	if !exists(fsys, user+"a/.hidden/cur") || exists(fsys, user+"tmp/..mailparts-1") {
		t.Error("what is left is not what should be")
	}
}

func TestNamesInFolders(t *testing.T) {
	for name, folder := range map[string]string{
		"a/b/c":      "a/b/c",
		"INBOX":      "",
		"INBOX/a":    "INBOX/a",
		"Entwürfe/ü": "Entw&APw-rfe/&APw-",
		"a.b/c.":     "a.b/c.",
		"~peter":     "~peter",
		"dovecot":    "dovecot",
		"mailparts":  "mailparts",
		"CUR/x/news": "CUR/x/news",
		"a\\b":       "a\\b",
		" ":          " ",
	} {
		for _, layout := range []struct {
			utf8   bool
			folder string
		}{{false, folder}, {true, name}} {
			if layout.utf8 && name == "INBOX" {
				continue
			}
			got, err := maildir.FolderIn(maildir.Folders, layout.utf8, name)
			back, ok := maildir.NameIn(maildir.Folders, layout.utf8, got)
			if got != layout.folder || err != nil || name != "INBOX" && (back != name || !ok) {
				t.Errorf("the folder of %q is %q, %v, and that of %q, %v; want %q", name, got, err, back, ok, layout.folder)
			}
		}
	}
	for _, name := range []string{
		"cur", "a/new", "tmp/a", ".a", "a/.b", ".", "..", "a/../b", "../a", "a//b", "/a", "a/",
		"dovecot-uidlist", "dovecot.index", "a/dovecot-keywords", "mailparts.lock", "a/mailparts-metadata", "subscriptions", "subscriptions.lock", "maildirsize",
		"maildirfolder", "courierimapuiddb", "courierpop3dsizelist", "x/" + strings.Repeat("y", 256), strings.Repeat("ü", 100), strings.Repeat("a/", 600) + "b",
	} {
		if folder, err := maildir.FolderIn(maildir.Folders, false, name); !errors.Is(err, mailparts.ErrBadName) {
			t.Errorf("the folder of %.40q is %q, %v, want ErrBadName", name, folder, err)
		}
	}
	if got, err := maildir.FolderIn(maildir.MaildirPlusPlus, true, "ü/&"); got != ".ü.&" || err != nil {
		t.Errorf("with UTF-8 the folder is %q, %v", got, err)
	}
}

func FuzzNamesInFolders(f *testing.F) {
	for _, s := range []string{"INBOX", "a/b", "Entwürfe/&", "Entw&APw-rfe", "a/../b", "cur", "a/.x", "💌"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, utf8 bool) {
		if folder, err := maildir.FolderIn(maildir.Folders, utf8, s); err == nil && s != "INBOX" {
			if !filepath.IsLocal(folder) || filepath.Clean(folder) != folder || slices.Contains(strings.Split(folder, "/"), "cur") {
				t.Errorf("the folder of %q is %q", s, folder)
			}
			if name, ok := maildir.NameIn(maildir.Folders, utf8, folder); name != s || !ok {
				t.Errorf("%q has the folder %q, and that the name %q, %v", s, folder, name, ok)
			}
		}
		if name, ok := maildir.NameIn(maildir.Folders, utf8, s); ok {
			if folder, err := maildir.FolderIn(maildir.Folders, utf8, name); folder != s || err != nil {
				t.Errorf("the folder %q has the name %q, and that the folder %q, %v", s, name, folder, err)
			}
		}
	})
}

// Dovecot's subscriptions of a tree with UTF-8 are in UTF-8.
func TestSubscriptionsInUTF8(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	b.UTF8 = true
	sub := openStore(t, b).(mailparts.Subscriber)
	must(t, sub.Subscribe(t.Context(), "Entwürfe/& x", true))
	if got := get(t, fsys, root+"/user/subscriptions"); got != "V\t2\n\nEntwürfe\t& x\n" {
		t.Errorf("subscriptions has %q", got)
	}
	if names, err := sub.Subscribed(t.Context()); fmt.Sprint(names, err) != "[Entwürfe/& x] <nil>" {
		t.Errorf("subscribed to %q, %v", names, err)
	}
}
