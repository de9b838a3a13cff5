package mbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/mbox"
)

// Whatever others have written: what is done to some messages leaves the others as
// they were, and all is the same for the next process.
func FuzzBackend(f *testing.F) {
	two := foreignMessage("eins") + foreignMessage("zwei")
	f.Add(two)
	f.Add("\n\r\n" + two)
	f.Add(strings.ReplaceAll(two, "Subject", "X-UID: 7\nX-IMAPbase: 4 9 kw\n folded\nStatus: RO\nX-UID: 3\nX-Keywords: kw\n folded\nSubject"))
	f.Add(strings.Replace(two, "Subject", "X-IMAP: 5 1\nSubject", 1))
	f.Add(strings.ReplaceAll(two, "Subject", "Content-Length: 5\nX-Mbox-Added: quotes newline blank start\n Subject"))
	f.Add(strings.ReplaceAll(two, "\n", "\r\n"))
	f.Add("From a Mon Jan  1 00:00:00 2024\nFrom b Mon Jan  1 00:00:00 2024\n\nFrom c Mon Jan  1 00:00:00 2024\nno end")
	f.Add("From a Mon Jan  1 00:00:00 2024\nStatus: RO\nX-Status: A\nX-Keywords: a b\nX-UID: 4294967295")
	f.Add("no mbox")
	f.Fuzz(func(t *testing.T, text string) {
		ctx := context.Background()
		fsys := disktest.New()
		must(t, disk.MkdirAll(fsys, tree+"/user", 0o700))
		putFile(t, fsys, inboxPath, text)
		s, err := backendOn(fsys).Open(ctx, "user")
		must(t, err)
		mb, err := s.Mailbox(ctx, "INBOX")
		if errors.Is(err, mbox.ErrFormat) {
			if got := fsys.Files()[inboxPath]; got != text {
				t.Fatalf("what is no mbox was changed to %q", got)
			}
			return
		}
		must(t, err)
		was := bodiesOf(t, mb)
		all := mailparts.AllUIDs()
		_, _, err = mb.SetFlags(ctx, all, mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagFlagged, "a-new-keyword-that-hardly-has-room-where-it-goes"}})
		must(t, err)
		sameBodies(t, "after flags", mb, was)
		sameBodies(t, "for another process", openMailbox(t, backendOn(fsys), "INBOX"), was)
		placed, err := mailparts.Append(ctx, mb, incoming("Subject: new\r\n\r\nFrom me\r\n"))
		must(t, err)
		was[placed.UIDs[0].First] = "Subject: new\r\n\r\nFrom me\r\n"
		for uid := range was {
			if uid%2 == 1 {
				must(t, mb.Expunge(ctx, uids(uid), ""))
				delete(was, uid)
			}
		}
		sameBodies(t, "after Expunge", mb, was)
		sameBodies(t, "for another process", openMailbox(t, backendOn(fsys), "INBOX"), was)
	})
}

func bodiesOf(t *testing.T, mb mailparts.Mailbox) map[mailparts.UID]string {
	t.Helper()
	all := map[mailparts.UID]string{}
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		if int64(len(body)) != m.Size {
			t.Fatalf("UID %d: Size is %d, Body has %d octets", m.UID, m.Size, len(body))
		}
		all[m.UID] = body
	}
	return all
}

func sameBodies(t *testing.T, what string, mb mailparts.Mailbox, want map[mailparts.UID]string) {
	t.Helper()
	got := bodiesOf(t, mb)
	for uid, body := range want {
		if got[uid] != body {
			t.Fatalf("%s UID %d is %q, was %q", what, uid, got[uid], body)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s there are %d messages, were %d", what, len(got), len(want))
	}
}

// Whatever stands beside the mail, also with the right sums: nothing but an error or
// what is in the mailbox comes of it. A journal may say what is to be in there.
func FuzzSide(f *testing.F) {
	side := func(fsys *disktest.FS, ext string) (name string) {
		for file := range fsys.Files() {
			if strings.HasSuffix(file, ext) {
				name = file
			}
		}
		return name
	}
	setUp := func(t testing.TB) *disktest.FS {
		fsys := disktest.New()
		must(t, disk.MkdirAll(fsys, tree+"/user", 0o700))
		putFile(t, fsys, inboxPath, strings.ReplaceAll(dovecots, "Subject", "X-Seed: 1\nSubject"))
		must(t, fsys.Chtimes(inboxPath, time.Unix(1e9, 0))) // or else it might still change
		openMailbox(t, backendOn(fsys), "INBOX")
		return fsys
	}
	fsys := setUp(f)
	mb := openMailbox(f, backendOn(fsys), "INBOX")
	_, err := mailparts.Append(f.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n", "keyword"))
	must(f, err)
	index, journal := []byte(fsys.Files()[side(fsys, ".index")]), []byte(fsys.Files()[side(fsys, ".journal")])
	f.Add(index[:512], index[32<<10:], journal)
	crashed := setUp(f)
	mb = openMailbox(f, backendOn(crashed), "INBOX")
	crashed.Before = func(op disktest.Op) error {
		if op.Path == inboxPath && op.Name != "stat" && !strings.HasPrefix(op.Name, "read") && op.Name != "openfile" && op.Name != "fcntl" {
			return disktest.ErrCrashed
		}
		return nil
	}
	mb.Expunge(f.Context(), uids(4), "")
	f.Add(index[:512], index[32<<10:], []byte(crashed.Files()[side(crashed, ".journal")]))
	mailparts.Append(f.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n"))
	f.Add([]byte{}, []byte{}, []byte(crashed.Files()[side(crashed, ".journal")]))
	f.Fuzz(func(t *testing.T, head, pages, journal []byte) {
		fsys := setUp(t)
		indexFile, journalFile := side(fsys, ".index"), side(fsys, ".journal")
		index := make([]byte, 32<<10, 64<<10)
		copy(index, head[:min(len(head), 512)])
		index = append(index, pages[:min(len(pages), 32<<10)]...)
		mbox.SumIndex(index)
		mbox.SumJournal(journal)
		putFile(t, fsys, indexFile, string(index))
		putFile(t, fsys, journalFile, string(journal))
		s, err := backendOn(fsys).Open(t.Context(), "user")
		must(t, err)
		mb, err := s.Mailbox(t.Context(), "INBOX")
		if err != nil {
			return
		}
		for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
			if err != nil {
				break
			}
			readBody(mb, m.UID)
		}
		mb.SetFlags(t.Context(), mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
		mb.Expunge(t.Context(), uids(4), "")
	})
}
