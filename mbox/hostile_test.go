package mbox_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/mbox"
)

// Messages that wait for their UIDs are part of no other, whatever is done to those
// that have one.
func TestChangesOnFullDisk(t *testing.T) {
	for what, do := range map[string]func(t *testing.T, mb mailparts.Mailbox){
		"flags in place": func(t *testing.T, mb mailparts.Mailbox) { set(t, mb, 2, mailparts.FlagSeen) },
		"expunge":        func(t *testing.T, mb mailparts.Mailbox) { must(t, mb.Expunge(t.Context(), uids(1), "")) },
	} {
		t.Run(what, func(t *testing.T) {
			fsys := diskWith(t, foreignMessage("eins")+foreignMessage("zwei"))
			mb := openMailbox(t, backendOn(fsys), "INBOX")
			wantListing(t, "at first", mb, "1 [] eins", "2 [] zwei")
			deliverRaw(t, fsys, inboxPath, foreignMessage("drei"))
			full, writes := true, 0
			fsys.Before = func(op disktest.Op) error {
				if full && op.Name == "writeat" && strings.Contains(op.Path, ".journal") {
					if writes++; writes == 1 { // that of the UIDs; then there is room for less
						return syscall.ENOSPC
					}
				}
				return nil
			}
			do(t, mb)
			writes = 0
			if body, err := readBody(mb, 2); err != nil || body != foreignBody("zwei") {
				t.Errorf("the last message with a UID is %q, %v", body, err)
			}
			full = false
			must(t, mb.Expunge(t.Context(), uids(2), ""))
			left := listing(t, mb)
			if len(left) == 0 || left[len(left)-1] != "3 [] drei" {
				t.Errorf("the message that waited is lost: %q", left)
			}
		})
	}
}

// A message that comes while an append makes the file of INBOX keeps its place.
func TestDeliveryAsInboxIsMade(t *testing.T) {
	fsys := diskWith(t, "")
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	must(t, fsys.Remove(inboxPath))
	statusOf(t, mb)
	raced := false
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "syncdir" && op.Path == tree+"/user" && !raced {
			raced = true
			deliverRaw(t, fsys, inboxPath, foreignMessage("eins"))
		}
		return nil
	}
	placed, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nzwei\r\n"))
	must(t, err)
	if !raced {
		t.Fatal("nobody has made the file")
	}
	want := []string{"1 [] eins", "2 [] zwei"}
	wantListing(t, "after it", mb, want...)
	wantListing(t, "for another process", openMailbox(t, backendOn(fsys), "INBOX"), want...)
	if placed.UIDs.String() != "2" {
		t.Errorf("the message has the UID %v", placed.UIDs)
	}
}

// A file that was restored over the old one, with other numbers, is another mailbox.
func TestRestoredOver(t *testing.T) {
	fsys := diskWith(t, foreignMessage("eins"))
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	wantListing(t, "at first", mb, "1 [] eins")
	putFile(t, fsys, inboxPath, dovecots)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := backendOn(fsys).Open(ctx, "user")
	must(t, err)
	again, err := s.Mailbox(ctx, "INBOX")
	must(t, err)
	if st := statusOf(t, again); st.UIDValidity != 1795401352 {
		t.Errorf("UIDVALIDITY is %d", st.UIDValidity)
	}
	if _, err := mb.Status(ctx); !errors.Is(err, mailparts.ErrNoMailbox) {
		t.Errorf("a handle to what was there before: %v, want ErrNoMailbox", err)
	}
}

// Sizes are noted while others look at the mailbox and write its index.
func TestSizesOfMany(t *testing.T) {
	fsys := diskWith(t, strings.Repeat(foreignMessage("eins"), 200))
	s, err := backendOn(fsys).Open(t.Context(), "user")
	must(t, err)
	var wg sync.WaitGroup
	for i := range 4 {
		mb, err := s.Mailbox(t.Context(), "INBOX")
		must(t, err)
		wg.Go(func() {
			for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
				if err != nil || m.Size != int64(len(foreignBody("eins"))) {
					t.Errorf("message %d has %d octets, %v", m.UID, m.Size, err)
				}
			}
			mb.SetFlags(t.Context(), uids(mailparts.UID(i+1)), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
		})
	}
	wg.Wait()
}

// A journal that found no room leaves what room there was to others.
func TestFullDiskIsLeft(t *testing.T) {
	fsys := diskWith(t, "")
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	big := "Subject: m\r\n\r\n" + strings.Repeat("0123456789abcde\r\n", 100_000)
	for range 3 {
		_, err := mailparts.Append(t.Context(), mb, incoming(big))
		must(t, err)
	}
	writes := 0
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "writeat" && strings.Contains(op.Path, ".journal") {
			if writes++; writes > 20 {
				return syscall.ENOSPC
			}
		}
		return nil
	}
	if err := mb.Expunge(t.Context(), uids(1), ""); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Expunge: %v, want ENOSPC", err)
	}
	for name, text := range fsys.Files() {
		if strings.HasSuffix(name, ".journal") && len(text) > 64<<10 {
			t.Errorf("the journal keeps %d octets", len(text))
		}
	}
}

// What is INBOX's file is no other mailbox's.
func TestInboxInTheTree(t *testing.T) {
	fsys := diskWith(t, "")
	b := &mbox.Backend{Root: tree, Inbox: func(user string) (string, error) { return tree + "/user/mail/spool", nil }}
	b.SetFS(fsys)
	must(t, disk.MkdirAll(fsys, tree+"/user/mail", 0o700))
	s, err := b.Open(t.Context(), "user")
	must(t, err)
	if _, err := s.Mailbox(t.Context(), "mail/spool"); err == nil {
		t.Error("INBOX is another mailbox too")
	}
	m := s.(mailparts.Manager)
	if err := m.Delete(t.Context(), "mail/spool"); err == nil {
		t.Error("INBOX was deleted")
	}
	if err := m.Create(t.Context(), "mail/spool"); err == nil {
		t.Error("INBOX was made")
	}
	if _, err := fsys.Stat(tree + "/user/mail/spool"); errors.Is(err, fs.ErrNotExist) {
		t.Error("INBOX has no file")
	}
}

// A program that knows of no X-IMAPbase, such as mutt, takes it out with the first
// message. The UIDs of the others stay.
func TestFirstMessageRemovedByOthers(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		t.Run(fmt.Sprintf("fresh=%v", fresh), func(t *testing.T) {
			fsys := diskWith(t, foreignMessage("eins")+foreignMessage("zwei")+foreignMessage("drei"))
			mb := openMailbox(t, backendOn(fsys), "INBOX")
			want := listing(t, mb)[1:]
			validity := statusOf(t, mb).UIDValidity
			text := fsys.Files()[inboxPath]
			putFile(t, fsys, inboxPath, text[5+strings.Index(text[5:], "From them"):])
			if fresh {
				mb = openMailbox(t, backendOn(fsys), "INBOX")
			}
			wantListing(t, "without the first", mb, want...)
			if st := statusOf(t, mb); st.UIDValidity != validity {
				t.Errorf("UIDVALIDITY is %d, was %d", st.UIDValidity, validity)
			}
		})
	}
}
