package mbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/mbox"
)

// dovecots is a mailbox as Dovecot leaves it.
const dovecots = `From nobody@vm  Mon Nov 23 02:38:49 2026
X-IMAPbase: 1795401352 0000000009 Work NonJunk
X-UID: 4
Status: RO
X-Status: AF
X-Keywords: NonJunk                                                      
Subject: one
Content-Length: 9

body one

From nobody@vm  Mon Nov 23 02:38:50 2026
Subject: two
X-UID: 7
Status: O
X-Keywords: Work
	NonJunk          
Content-Length: 42

From x Mon Jan  1 00:00:00 2024
body two

`

// UIDs, flags and keywords stay as others have written them.
func TestDovecotsMailbox(t *testing.T) {
	fsys := diskWith(t, dovecots)
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	if st := statusOf(t, mb); st.UIDValidity != 1795401352 || st.UIDNext != 10 || st.FirstRecent != 0 {
		t.Errorf("Status is %+v", st)
	}
	wantListing(t, "as it came", mb, `4 [\Seen \Answered \Flagged NonJunk] body one`, `7 [Work NonJunk] From x Mon Jan  1 00:00:00 2024`+"\r\nbody two")
	if got := fsys.Files()[inboxPath]; got != dovecots {
		t.Errorf("reading has changed the file to %q", got)
	}
	set(t, mb, 4, mailparts.FlagDeleted, "Work")
	got := fsys.Files()[inboxPath]
	if !strings.Contains(got, "X-Keywords: Work NonJunk ") || !strings.HasSuffix(got, dovecots[strings.Index(dovecots, "Subject: one"):]) {
		t.Errorf("after a change of flags the file is %q", got)
	}
	wantListing(t, "for another process", openMailbox(t, backendOn(fsys), "INBOX"),
		`4 [\Seen \Answered \Flagged \Deleted Work NonJunk] body one`, `7 [Work NonJunk] From x Mon Jan  1 00:00:00 2024`+"\r\nbody two")
}

// Flags that have room in their fields move nothing.
func TestFlagsInPlace(t *testing.T) {
	fsys := diskWith(t, "")
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	for range 3 {
		_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n", "Work"))
		must(t, err)
	}
	before := fsys.Files()[inboxPath]
	set(t, mb, 2, mailparts.FlagSeen, mailparts.FlagDraft, "Other")
	set(t, mb, 3, mailparts.FlagAnswered, mailparts.FlagFlagged, mailparts.FlagDeleted, mailparts.FlagDraft)
	after := fsys.Files()[inboxPath]
	if len(after) != len(before) {
		t.Errorf("the file had %d octets and has %d", len(before), len(after))
	}
	wantListing(t, "for another process", openMailbox(t, backendOn(fsys), "INBOX"),
		`1 [Work] m`, `2 [\Seen \Draft Work Other] m`, `3 [\Answered \Flagged \Deleted \Draft Work] m`)
}

// What senders write into the mbox's own fields is not believed.
func TestSpoofedFields(t *testing.T) {
	fsys := diskWith(t, "")
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	validity := statusOf(t, mb).UIDValidity
	spoof := func(fields string) {
		deliverRaw(t, fsys, inboxPath, strings.Replace(foreignMessage("spoof"), "Subject", fields+"\nSubject", 1))
	}
	spoof("X-IMAPbase: 1 4294967200\nX-UID: 4294967100\nStatus: RO")
	wantListing(t, "a first message", mb, "1 [] spoof")
	if st := statusOf(t, mb); st.UIDValidity != validity || st.UIDNext != 2 {
		t.Errorf("after a spoofed base Status is %+v, want UIDVALIDITY %d and UIDNEXT 2", st, validity)
	}
	_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n"))
	must(t, err)
	must(t, mb.Expunge(t.Context(), uids(2), ""))
	spoof("X-UID: 2")
	wantListing(t, "the UID of an expunged message", mb, "1 [] spoof", "3 [] spoof")
	spoof("X-IMAP: 1 5\nX-UID: 4294967290\nX-UID: 4")
	wantListing(t, "what would be no message", openMailbox(t, backendOn(fsys), "INBOX"), "1 [] spoof", "3 [] spoof", "4 [] spoof")
	must(t, mb.Expunge(t.Context(), uids(1, 3), ""))
	wantListing(t, "as the first message", openMailbox(t, backendOn(fsys), "INBOX"), "4 [] spoof")
}

// Nor is a base that came with the first mail, by who sees the mailbox for the first
// time; but one of a program that has written the file anew is.
func TestSpoofedBase(t *testing.T) {
	spoofed := strings.Replace(foreignMessage("m"), "Subject", "X-IMAPbase: 77 0000000005\nX-UID: 5\nSubject", 1)
	fsys := diskWith(t, "")
	validity := statusOf(t, openMailbox(t, backendOn(fsys), "INBOX")).UIDValidity
	deliverRaw(t, fsys, inboxPath, spoofed)
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	wantListing(t, "into an empty mailbox", mb, "1 [] m")
	if got := statusOf(t, mb).UIDValidity; got != validity {
		t.Errorf("UIDVALIDITY is %d, was %d", got, validity)
	}
	putFile(t, fsys, inboxPath, spoofed)
	mb = openMailbox(t, backendOn(fsys), "INBOX")
	wantListing(t, "written anew", mb, "5 [] m")
	if got := statusOf(t, mb).UIDValidity; got != 77 {
		t.Errorf("UIDVALIDITY is %d, want that of the file", got)
	}
}

// An empty mailbox has a message that is none, which UW-IMAP and Dovecot know.
func TestFolderInternalData(t *testing.T) {
	fsys := disktest.New()
	b := backendOn(fsys)
	s, err := b.Open(t.Context(), "user")
	must(t, err)
	must(t, s.(mailparts.Manager).Create(t.Context(), "box"))
	const file = tree + "/user/box"
	text := fsys.Files()[file]
	if !strings.Contains(text, "\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: ") {
		t.Errorf("a new mailbox is %q", text)
	}
	mb, err := s.Mailbox(t.Context(), "box")
	must(t, err)
	wantListing(t, "new", mb)
	for range 2 {
		_, err = mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n", "Work"))
		must(t, err)
	}
	before := statusOf(t, mb)
	must(t, mb.Expunge(t.Context(), mailparts.AllUIDs(), ""))
	wantListing(t, "emptied", mb)
	after := statusOf(t, openMailbox(t, backendOn(fsys), "box"))
	if after.UIDValidity != before.UIDValidity || after.UIDNext != before.UIDNext || !slices.Contains(after.PermanentFlags, "Work") {
		t.Errorf("emptied Status is %+v, was %+v", after, before)
	}
	// The numbers stand in the file: all else may be lost.
	for name := range fsys.Files() {
		if name != file {
			must(t, fsys.Remove(name))
		}
	}
	again := statusOf(t, openMailbox(t, backendOn(fsys), "box"))
	if again.UIDValidity != before.UIDValidity || again.UIDNext != before.UIDNext {
		t.Errorf("without what is beside it Status is %+v, was %+v", again, before)
	}
}

// A spool file that others empty or remove is the same mailbox still.
func TestSpoolEmptiedByOthers(t *testing.T) {
	fsys := diskWith(t, foreignMessage("eins")+foreignMessage("zwei"))
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	wantListing(t, "at first", mb, "1 [] eins", "2 [] zwei")
	before := statusOf(t, mb)
	putFile(t, fsys, inboxPath, "")
	wantListing(t, "emptied", mb)
	deliverRaw(t, fsys, inboxPath, foreignMessage("drei"))
	wantListing(t, "after a delivery", openMailbox(t, backendOn(fsys), "INBOX"), "3 [] drei")
	must(t, fsys.Remove(inboxPath))
	wantListing(t, "removed", mb)
	_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nvier\r\n"))
	must(t, err)
	wantListing(t, "after an append", openMailbox(t, backendOn(fsys), "INBOX"), "4 [] vier")
	if after := statusOf(t, mb); after.UIDValidity != before.UIDValidity {
		t.Errorf("UIDVALIDITY is %d, was %d", after.UIDValidity, before.UIDValidity)
	}
}

// Flags that others change are seen, at the latest when the mailbox is opened again
// if a message came too.
func TestFlagsChangedByOthers(t *testing.T) {
	fsys := diskWith(t, "")
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	for range 2 {
		_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n"))
		must(t, err)
	}
	flip := func(old, new string) {
		putFile(t, fsys, inboxPath, strings.Replace(fsys.Files()[inboxPath], old, new, 1))
	}
	flip("Status:   ", "Status: RO")
	wantListing(t, "one flag", mb, `1 [\Seen] m`, "2 [] m")
	flip("X-Status:     ", "X-Status: F   ")
	deliverRaw(t, fsys, inboxPath, foreignMessage("m"))
	if got := len(listing(t, mb)); got != 3 {
		t.Errorf("there are %d messages, want 3", got)
	}
	again := openMailbox(t, backendOn(fsys), "INBOX")
	wantListing(t, "a flag and a message, for another process", again, `1 [\Seen \Flagged] m`, "2 [] m", "3 [] m")
	s, err := backendOn(fsys).Open(t.Context(), "user")
	must(t, err)
	_, err = s.Mailbox(t.Context(), "INBOX")
	must(t, err)
}

// Who opens what is open already sees all that others have changed too.
func TestOpenedAgain(t *testing.T) {
	fsys := diskWith(t, "")
	s, err := backendOn(fsys).Open(t.Context(), "user")
	must(t, err)
	mb, err := s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	for range 2 {
		_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n"))
		must(t, err)
	}
	putFile(t, fsys, inboxPath, strings.Replace(fsys.Files()[inboxPath], "Status:   ", "Status: RO", 1)+foreignMessage("m"))
	if st := statusOf(t, mb); st.Messages != 3 {
		t.Errorf("there are %d messages, want 3", st.Messages)
	}
	mb, err = s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	wantListing(t, "opened again", mb, `1 [\Seen] m`, "2 [] m", "3 [] m")
}

// What is no mbox is left alone, and told.
func TestNoMbox(t *testing.T) {
	var log bytes.Buffer
	fsys := diskWith(t, "#!/bin/sh\necho hello\n")
	b := backendOn(fsys)
	b.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s, err := b.Open(t.Context(), "user")
	must(t, err)
	if _, err := s.Mailbox(t.Context(), "INBOX"); !errors.Is(err, mbox.ErrFormat) {
		t.Errorf("Mailbox: %v, want ErrFormat", err)
	}
	if got := fsys.Files()[inboxPath]; got != "#!/bin/sh\necho hello\n" || !strings.Contains(log.String(), "is no mbox") {
		t.Errorf("the file is %q, the log %q", got, &log)
	}
}

// refusing is a disk whose answer to some openings is an error.
type refusing struct {
	disk.FS
	refuse func(name string, flag int) error
}

func (r *refusing) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if err := r.refuse(name, flag); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return r.FS.OpenFile(name, flag, perm)
}

// A file that the user may not change is a mailbox that nobody may.
func TestReadOnly(t *testing.T) {
	fsys := diskWith(t, dovecots)
	mb := openMailbox(t, backendOn(&refusing{fsys, func(name string, flag int) error {
		if name == inboxPath && flag&(os.O_RDWR|os.O_WRONLY) != 0 {
			return syscall.EACCES
		}
		return nil
	}}), "INBOX")
	if st := statusOf(t, mb); !st.ReadOnly || st.Messages != 2 {
		t.Errorf("Status is %+v, want ReadOnly and two messages", st)
	}
	read := false
	_, err := mailparts.Append(t.Context(), mb, mailparts.Incoming{Body: readerFunc(func([]byte) (int, error) { read = true; return 0, nil })})
	if !errors.Is(err, mailparts.ErrReadOnly) || read {
		t.Errorf("Append: %v, and the message was read: %v", err, read)
	}
	if _, _, err := mb.SetFlags(t.Context(), uids(4), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagDraft}}); !errors.Is(err, mailparts.ErrReadOnly) {
		t.Errorf("SetFlags: %v", err)
	}
	if err := mb.Expunge(t.Context(), uids(4), ""); !errors.Is(err, mailparts.ErrReadOnly) {
		t.Errorf("Expunge: %v", err)
	}
	deliverRaw(t, fsys, inboxPath, foreignMessage("new"))
	if got := listing(t, mb); len(got) != 2 {
		t.Errorf("a message whose UID cannot be written is seen: %q", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// On a full disk new messages wait for their UIDs; the others are there, and can be
// expunged when there is room for the journal.
func TestFullDisk(t *testing.T) {
	fsys := diskWith(t, foreignMessage("eins"))
	full := false
	fsys.Before = func(op disktest.Op) error {
		if full && strings.HasPrefix(op.Name, "write") && strings.Contains(op.Path, ".journal") {
			return syscall.ENOSPC
		}
		return nil
	}
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	wantListing(t, "at first", mb, "1 [] eins")
	deliverRaw(t, fsys, inboxPath, foreignMessage("zwei"))
	before := fsys.Files()[inboxPath]
	full = true
	wantListing(t, "on a full disk", mb, "1 [] eins")
	_, err := mailparts.Append(t.Context(), mb, incoming("m"))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Append: %v, want ENOSPC", err)
	}
	if _, _, err := mb.SetFlags(t.Context(), uids(1), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("SetFlags: %v, want ENOSPC", err)
	}
	if got := fsys.Files()[inboxPath]; got != before {
		t.Errorf("the file was changed to %q", got)
	}
	full = false
	wantListing(t, "when there is room", mb, "1 [] eins", "2 [] zwei")
}

// Another program may have more keywords than we: they stay.
func TestForeignKeywords(t *testing.T) {
	var words []string
	for i := range 80 {
		words = append(words, fmt.Sprintf("keyword%d", i))
	}
	fsys := diskWith(t, strings.NewReplacer("Work NonJunk", strings.Join(words, " "), "X-Keywords: NonJunk", "X-Keywords: keyword3 keyword79").Replace(dovecots))
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	set(t, mb, 4, mailparts.FlagDraft, "keyword5")
	if _, _, err := mb.SetFlags(t.Context(), uids(4), mailparts.FlagChange{Flags: []mailparts.Flag{"another"}}); !errors.Is(err, mailparts.ErrLimit) {
		t.Errorf("one keyword more: %v, want ErrLimit", err)
	}
	wantListing(t, "as far as we know", openMailbox(t, backendOn(fsys), "INBOX"),
		`4 [\Seen \Answered \Flagged \Draft keyword3 keyword5] body one`, "7 [] From x Mon Jan  1 00:00:00 2024\r\nbody two")
	text := fsys.Files()[inboxPath]
	if !strings.Contains(text, strings.Join(words, " ")) || !strings.Contains(text, "X-Keywords: keyword3 keyword5 keyword79 ") {
		t.Errorf("the file is %q", text)
	}
}

// Dovecot believes no X-UID that stands before the base: flags for which there is no
// room bring fields that come after it, wherever it is.
func TestBaseBeforeUID(t *testing.T) {
	fsys := diskWith(t, "From a@example.test Wed Jan 08 02:03:04 2020\nStatus: RO\nSubject: 7\nContent-Length: 5\n"+
		"X-IMAPbase: 1795413948 0000000004 NonJunk                   \nX-UID: 3\n\nbody\n\n")
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	set(t, mb, 3, mailparts.FlagFlagged, "NonJunk")
	set(t, mb, 3, mailparts.FlagFlagged, "another-keyword-that-has-no-room-where-the-first-was")
	text := fsys.Files()[inboxPath]
	if base, uid := strings.Index(text, "X-IMAPbase: "), strings.Index(text, "X-UID: 3"); base < 0 || uid < base || strings.Count(text, "X-UID") != 1 {
		t.Errorf("the file is %q", text)
	}
	wantListing(t, "after it", openMailbox(t, backendOn(fsys), "INBOX"), `3 [\Seen \Flagged NonJunk another-keyword-that-has-no-room-where-the-first-was] body`)
}
