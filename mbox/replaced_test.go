package mbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/mbox"
)

// A handle goes with its mailbox also into another file that a program has put in the
// place of the old one, as Python's mailbox does; but not into another mailbox.
func TestFileReplacedByOthers(t *testing.T) {
	fsys := diskWith(t, "")
	s, m := storeOf(t, fsys)
	must(t, m.Create(t.Context(), "a"))
	mb, err := s.Mailbox(t.Context(), "a")
	must(t, err)
	for _, body := range []string{"eins", "zwei"} {
		_, err = mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\n"+body+"\r\n"))
		must(t, err)
	}
	before := statusOf(t, mb)
	path := tree + "/user/a"
	replace := func(text string) {
		putFile(t, fsys, path+".new", text)
		must(t, fsys.Rename(path+".new", path))
	}
	replace(fsys.Files()[path])
	wantListing(t, "the same content", mb, "1 [] eins", "2 [] zwei")
	text := fsys.Files()[path]
	cut := strings.LastIndex(text, "From ")
	replace(text[:cut] + foreignMessage("drei"))
	wantListing(t, "changed", mb, "1 [] eins", "3 [] drei")
	set(t, mb, 1, mailparts.FlagSeen)
	wantListing(t, "by another handle", openMailbox(t, backendOn(fsys), "a"), `1 [\Seen] eins`, "3 [] drei")
	if after := statusOf(t, mb); after.UIDValidity != before.UIDValidity {
		t.Errorf("UIDVALIDITY is %d, was %d", after.UIDValidity, before.UIDValidity)
	}
	replace(strings.Replace(foreignMessage("m"), "Subject", "X-IMAPbase: 77 0000000005\nX-UID: 5\nSubject", 1))
	if _, err := mb.Status(t.Context()); !errors.Is(err, mailparts.ErrNoMailbox) {
		t.Errorf("Status with another UIDVALIDITY: %v, want ErrNoMailbox", err)
	}
}

// A message can be read also if mail comes in whenever we are about to take the lock.
func TestBodyWhileMailComes(t *testing.T) {
	fsys := diskWith(t, foreignMessage("eins"))
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	busy := false
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "openfile" && op.Path == inboxPath && !busy {
			busy = true
			deliverRaw(t, fsys, inboxPath, foreignMessage("more"))
			busy = false
		}
		return nil
	}
	if body, err := readBody(mb, 1); err != nil || body != foreignBody("eins") {
		t.Errorf("the message is %q, %v", body, err)
	}
}

// Who has seen that others emptied a mailbox does not believe numbers that come with
// the next mail, nor does another process then.
func TestSpoofedBaseAfterEmptying(t *testing.T) {
	fsys := diskWith(t, foreignMessage("eins"))
	before := statusOf(t, openMailbox(t, backendOn(fsys), "INBOX"))
	putFile(t, fsys, inboxPath, "")
	wantListing(t, "emptied", openMailbox(t, backendOn(fsys), "INBOX"))
	deliverRaw(t, fsys, inboxPath, strings.Replace(foreignMessage("m"), "Subject", "X-IMAPbase: 77 0000000005\nX-UID: 5\nSubject", 1))
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	wantListing(t, "after the delivery", mb, "2 [] m")
	if after := statusOf(t, mb); after.UIDValidity != before.UIDValidity {
		t.Errorf("UIDVALIDITY is %d, was %d", after.UIDValidity, before.UIDValidity)
	}
}

// A link to itself and a folder that nobody may read are left out of the tree, and
// keep nobody from the rest.
func TestTreeWithClosedParts(t *testing.T) {
	fsys := diskWith(t, "")
	must(t, fsys.Mkdir(tree+"/user/closed", 0o700))
	for _, file := range []string{"a", "loop", "closed/b", "z"} {
		putFile(t, fsys, tree+"/user/"+file, foreignMessage(file))
	}
	fsys.Before = func(op disktest.Op) error {
		switch {
		case op.Path == tree+"/user/loop":
			return syscall.ELOOP
		case op.Name == "readdir" && op.Path == tree+"/user/closed":
			return syscall.EACCES
		}
		return nil
	}
	s, m := storeOf(t, fsys)
	mb, err := s.Mailbox(t.Context(), "z")
	must(t, err)
	must(t, m.Rename(t.Context(), "z", "y"))
	wantListing(t, "renamed", mb, "1 [] z")
	var names []string
	for info, err := range s.List(t.Context()) {
		must(t, err)
		names = append(names, info.Name)
	}
	if want := []string{"INBOX", "a", "y"}; !slices.Equal(names, want) {
		t.Errorf("List yields %q, want %q", names, want)
	}
}

// A symbolic link stays in its folder, where it leads to a file.
func TestRenameOfLink(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "user"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte(foreignMessage("eins")), 0o600))
	must(t, os.Symlink("../file", filepath.Join(dir, "user", "a")))
	s, err := (&mbox.Backend{Root: dir}).Open(t.Context(), "user")
	must(t, err)
	m := s.(mailparts.Manager)
	if err := m.Rename(t.Context(), "a", "folder/a"); !errors.Is(err, mailparts.ErrPermission) {
		t.Errorf("Rename into a folder: %v, want ErrPermission", err)
	}
	must(t, m.Rename(t.Context(), "a", "b"))
	mb, err := s.Mailbox(t.Context(), "b")
	must(t, err)
	wantListing(t, "renamed", mb, "1 [] eins")
}
