package mbox_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
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
