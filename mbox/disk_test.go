package mbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/mbox"
)

const (
	tree      = "/mail"
	inboxPath = tree + "/user/inbox"
)

// backendOn returns a Backend on a disk.
func backendOn(fsys disk.FS) *mbox.Backend {
	b := &mbox.Backend{Root: tree}
	b.SetFS(fsys)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openMailbox(t testing.TB, b mailparts.Backend, name string) mailparts.Mailbox {
	t.Helper()
	s, err := b.Open(context.Background(), "user")
	must(t, err)
	mb, err := s.Mailbox(context.Background(), name)
	must(t, err)
	return mb
}

func incoming(body string, flags ...mailparts.Flag) mailparts.Incoming {
	return mailparts.Incoming{Body: strings.NewReader(body), Flags: flags}
}

func uids(list ...mailparts.UID) (set mailparts.UIDSet) {
	for _, u := range list {
		set.Add(u, u)
	}
	return set
}

func readBody(mb mailparts.Mailbox, uid mailparts.UID) (string, error) {
	r, err := mb.Body(context.Background(), uid)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// putFile writes a file of another program, durably if it is a disktest.FS's.
func putFile(t testing.TB, fsys disk.FS, name, content string) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	must(t, err)
	_, err = io.WriteString(f, content)
	must(t, errors.Join(err, f.Sync(), f.Close()))
}

// deliverRaw appends to a file as a program does that knows of nothing.
func deliverRaw(t testing.TB, fsys disk.FS, name, content string) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(t, err)
	_, err = io.WriteString(f, content)
	must(t, errors.Join(err, f.Sync(), f.Close()))
}

// foreignMessage is one of procmail's.
func foreignMessage(body string) string {
	return "From them@example.com Mon Jan  1 00:00:00 2024\nSubject: foreign\n\n" + body + "\n\n"
}

// foreignBody is what Body yields of it.
func foreignBody(body string) string { return "Subject: foreign\r\n\r\n" + body + "\r\n" }

// diskWith returns a new disk with the user's tree and this INBOX.
func diskWith(t testing.TB, text string) *disktest.FS {
	t.Helper()
	fsys := disktest.New()
	must(t, disk.MkdirAll(fsys, tree+"/user", 0o700))
	putFile(t, fsys, inboxPath, text)
	return fsys
}

// listing is the mailbox in words: "UID flags body".
func listing(t testing.TB, mb mailparts.Mailbox) (lines []string) {
	t.Helper()
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		_, text, _ := strings.Cut(body, "\r\n\r\n")
		lines = append(lines, fmt.Sprintf("%d %v %s", m.UID, m.Flags, strings.TrimSpace(text)))
	}
	return lines
}

func wantListing(t testing.TB, what string, mb mailparts.Mailbox, want ...string) {
	t.Helper()
	if got := listing(t, mb); !slices.Equal(got, want) {
		t.Errorf("%s: the mailbox has %q, want %q", what, got, want)
	}
}

func statusOf(t testing.TB, mb mailparts.Mailbox) mailparts.Status {
	t.Helper()
	st, err := mb.Status(context.Background())
	must(t, err)
	return st
}

func set(t testing.TB, mb mailparts.Mailbox, uid mailparts.UID, flags ...mailparts.Flag) {
	t.Helper()
	_, _, err := mb.SetFlags(context.Background(), uids(uid), mailparts.FlagChange{Flags: flags})
	must(t, err)
}
