package mbox_test

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// files are those of the tree that may be mailboxes.
func files(fsys *disktest.FS) (names []string) {
	for name := range fsys.Files() {
		if rel, ok := strings.CutPrefix(name, tree+"/user/"); ok && !strings.HasPrefix(rel, ".") {
			names = append(names, rel)
		}
	}
	slices.Sort(names)
	return names
}

func wantFiles(t *testing.T, what string, fsys *disktest.FS, want ...string) {
	t.Helper()
	want = append(want, "inbox")
	slices.Sort(want)
	if got := files(fsys); !slices.Equal(got, want) {
		t.Errorf("%s the files are %q, want %q", what, got, want)
	}
}

func storeOf(t *testing.T, fsys *disktest.FS) (mailparts.Store, mailparts.Manager) {
	t.Helper()
	s, err := backendOn(fsys).Open(t.Context(), "user")
	must(t, err)
	return s, s.(mailparts.Manager)
}

// A mailbox and its children, where they are on disk.
func TestTree(t *testing.T) {
	fsys := disktest.New()
	_, m := storeOf(t, fsys)
	ctx := t.Context()
	must(t, m.Create(ctx, "plain/child"))
	must(t, m.Create(ctx, "box"))
	must(t, m.Create(ctx, "box/child"))
	must(t, m.Create(ctx, "Entwürfe"))
	wantFiles(t, "at first", fsys, "plain/child", "box", "box.sbd/child", "Entw&APw-rfe")
	must(t, m.Create(ctx, "plain"))
	wantFiles(t, "with a mailbox in a folder's place", fsys, "plain", "plain.sbd/child", "box", "box.sbd/child", "Entw&APw-rfe")
	must(t, m.Rename(ctx, "box", "box/below/itself"))
	wantFiles(t, "renamed below itself", fsys, "plain", "plain.sbd/child", "box.sbd/below/itself", "box.sbd/below/itself.sbd/child", "Entw&APw-rfe")
	must(t, m.Rename(ctx, "box/below/itself", "box"))
	must(t, m.Delete(ctx, "plain"))
	must(t, m.Delete(ctx, "plain/child"))
	wantFiles(t, "after that", fsys, "box", "box.sbd/child", "Entw&APw-rfe")
	if _, err := fsys.Stat(tree + "/user/plain.sbd"); err == nil {
		t.Errorf("an empty folder is left")
	}
	for _, name := range []string{".hidden", "a/.subscriptions", "a.lock", "a/b.lock", "a.sbd", "a.sbd/b", "a.tmp", "inbox", "INBOX/..", "~"} {
		if err := m.Create(ctx, name); !errors.Is(err, mailparts.ErrBadName) {
			t.Errorf("Create(%s): %v, want ErrBadName", name, err)
		}
	}
}

// What other programs have in a tree is found, and what is no mailbox is not.
func TestForeignTree(t *testing.T) {
	fsys := diskWith(t, "")
	s, _ := storeOf(t, fsys)
	for _, dir := range []string{"work", "work/old", ".imap/work", "both", "both.sbd"} {
		fsys.Mkdir(tree+"/user/"+dir, 0o700)
	}
	for _, file := range []string{"sent-mail", "work/a", "work/old/b", "work/gone.lock", ".imap/work/dovecot.index", ".subscriptions", "not&valid", "both/x", "both.sbd/y", "sent-mail.tmp"} {
		putFile(t, fsys, tree+"/user/"+file, foreignMessage(file))
	}
	var names []string
	for info, err := range s.List(t.Context()) {
		must(t, err)
		names = append(names, info.Name)
		mb, err := s.Mailbox(t.Context(), info.Name)
		must(t, err)
		if info.Name != "INBOX" {
			wantListing(t, info.Name, mb, "1 [] "+info.Name)
		}
	}
	if want := []string{"INBOX", "both/x", "sent-mail", "work/a", "work/old/b"}; !slices.Equal(names, want) {
		t.Errorf("List yields %q, want %q", names, want)
	}
}

// A handle follows its file also if another program moves it.
func TestMovedByOthers(t *testing.T) {
	fsys := diskWith(t, "")
	s, m := storeOf(t, fsys)
	must(t, m.Create(t.Context(), "a"))
	mb, err := s.Mailbox(t.Context(), "a")
	must(t, err)
	_, err = mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n"))
	must(t, err)
	must(t, fsys.Mkdir(tree+"/user/folder", 0o700))
	must(t, fsys.Rename(tree+"/user/a", tree+"/user/folder/b"))
	set(t, mb, 1, mailparts.FlagSeen)
	wantListing(t, "moved", mb, `1 [\Seen] m`)
	must(t, m.Create(t.Context(), "a"))
	wantListing(t, "another of its old name", mb, `1 [\Seen] m`)
	must(t, fsys.Remove(tree+"/user/folder/b"))
	if _, err := mb.Status(t.Context()); !errors.Is(err, mailparts.ErrNoMailbox) {
		t.Errorf("Status of a mailbox that another program removed: %v", err)
	}
}

// boxes are names and what is in them.
func boxes(t *testing.T, fsys *disktest.FS) map[string]string {
	t.Helper()
	s, _ := storeOf(t, fsys)
	all := map[string]string{}
	for info, err := range s.List(t.Context()) {
		must(t, err)
		mb, err := s.Mailbox(t.Context(), info.Name)
		must(t, err)
		all[info.Name] = strings.Join(listing(t, mb), "|")
	}
	return all
}

// After a crash each mailbox has exactly one of its two names, with all it had.
func TestCrashRename(t *testing.T) {
	type promise struct{ done, failed bool }
	setup := func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) {
			s, m := storeOf(t, fsys)
			for _, name := range []string{"a", "a/child", "plain/child"} {
				must(t, m.Create(t.Context(), name))
				mb, err := s.Mailbox(t.Context(), name)
				must(t, err)
				for range 2 {
					_, err = mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\n"+name))
					must(t, err)
				}
				must(t, mb.Expunge(t.Context(), uids(1), ""))
			}
		})
	}
	work := func(fsys *disktest.FS) (p promise) {
		synctest.Test(t, func(t *testing.T) {
			s, err := backendOn(fsys).Open(t.Context(), "user")
			if err != nil {
				return
			}
			m := s.(mailparts.Manager)
			err = m.Rename(context.Background(), "a", "plain")
			p.done, p.failed = err == nil, err != nil
		})
		return p
	}
	before := map[string]string{"INBOX": "", "a": "2 [] a", "a/child": "2 [] a/child", "plain/child": "2 [] plain/child"}
	_ = before
	check := func(t *testing.T, after *disktest.FS, p promise) {
		synctest.Test(t, func(t *testing.T) {
			got := boxes(t, after)
			// Rename(a, plain) is refused as plain/child is there.
			if !maps.Equal(got, before) || p.done {
				t.Errorf("the mailboxes are %q, Rename done: %v", got, p.done)
			}
		})
	}
	disktest.Crash(t, setup, work, check)

	to := map[string]string{"INBOX": "", "x/y": "2 [] a", "x/y/child": "2 [] a/child", "plain/child": "2 [] plain/child"}
	work = func(fsys *disktest.FS) (p promise) {
		synctest.Test(t, func(t *testing.T) {
			s, err := backendOn(fsys).Open(t.Context(), "user")
			if err != nil {
				return
			}
			err = s.(mailparts.Manager).Rename(context.Background(), "a", "x/y")
			p.done, p.failed = err == nil, err != nil
		})
		return p
	}
	check = func(t *testing.T, after *disktest.FS, p promise) {
		synctest.Test(t, func(t *testing.T) {
			got := boxes(t, after)
			if !maps.Equal(got, to) && (p.done || !maps.Equal(got, before)) {
				t.Errorf("the mailboxes are %q, Rename done: %v", got, p.done)
			}
			for name := range after.Files() {
				if filepath.Base(name) == "rename" {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
	disktest.Crash(t, setup, work, check)
	disktest.Fail(t, syscall.EIO, setup, work, check)
}

// Create and Delete are done or not.
func TestCrashCreateAndDelete(t *testing.T) {
	setup := func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) {
			_, m := storeOf(t, fsys)
			must(t, m.Create(t.Context(), "old/child"))
		})
	}
	work := func(fsys *disktest.FS) (done []string) {
		synctest.Test(t, func(t *testing.T) {
			s, err := backendOn(fsys).Open(t.Context(), "user")
			if err != nil {
				return
			}
			m := s.(mailparts.Manager)
			if m.Create(context.Background(), "old") == nil {
				done = append(done, "old")
			}
			if m.Create(context.Background(), "new/child") == nil {
				done = append(done, "new/child")
			}
			if m.Delete(context.Background(), "old/child") == nil {
				done = append(done, "deleted")
			}
		})
		return done
	}
	check := func(t *testing.T, after *disktest.FS, done []string) {
		synctest.Test(t, func(t *testing.T) {
			got := boxes(t, after)
			for _, name := range done {
				if _, ok := got[name]; !ok && name != "deleted" {
					t.Errorf("%s was made, and there are %q", name, got)
				}
			}
			if _, ok := got["old/child"]; ok == slices.Contains(done, "deleted") && (ok || len(done) < 2) {
				t.Errorf("done is %q, and there are %q", done, got)
			}
			_, m := storeOf(t, after)
			for _, name := range []string{"old", "new/child", "other"} {
				if err := m.Create(t.Context(), name); err != nil && !errors.Is(err, mailparts.ErrExists) {
					t.Errorf("Create(%s) after that: %v", name, err)
				}
			}
		})
	}
	disktest.Crash(t, setup, work, check)
	disktest.Fail(t, syscall.ENOSPC, setup, work, check)
}
