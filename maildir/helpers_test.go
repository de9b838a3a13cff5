package maildir_test

import (
	"context"
	"fmt"
	"io"
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

const root = "/mail"

// on returns a Backend on a disk.
func on(fsys disk.FS) *maildir.Backend {
	b := &maildir.Backend{Root: root, Hostname: "host"}
	b.SetFS(fsys)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t testing.TB, b mailparts.Backend) mailparts.Store {
	t.Helper()
	s, err := b.Open(context.Background(), "user")
	must(t, err)
	return s
}

func openMailbox(t testing.TB, b mailparts.Backend, name string) mailparts.Mailbox {
	t.Helper()
	mb, err := openStore(t, b).Mailbox(context.Background(), name)
	must(t, err)
	return mb
}

func incoming(body string, flags ...mailparts.Flag) mailparts.Incoming {
	return mailparts.Incoming{Body: strings.NewReader(body), Flags: flags}
}

// deliver appends a message and returns its UID.
func deliver(t testing.TB, mb mailparts.Mailbox, body string, flags ...mailparts.Flag) mailparts.UID {
	t.Helper()
	placed, err := mailparts.Append(context.Background(), mb, incoming(body, flags...))
	must(t, err)
	return placed.UIDs[0].First
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

// describe is the mailbox in words: "UID flags body", sorted by UID.
func describe(t testing.TB, mb mailparts.Mailbox) (lines []string) {
	t.Helper()
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		if int64(len(body)) != m.Size {
			t.Errorf("UID %d: Size is %d, Body has %d octets", m.UID, m.Size, len(body))
		}
		lines = append(lines, fmt.Sprintf("%d %v %s", m.UID, m.Flags, body))
	}
	return lines
}

func want(t testing.TB, mb mailparts.Mailbox, lines ...string) {
	t.Helper()
	if got := describe(t, mb); !slices.Equal(got, lines) {
		t.Errorf("mailbox has %q, want %q", got, lines)
	}
}

func status(t testing.TB, mb mailparts.Mailbox) mailparts.Status {
	t.Helper()
	st, err := mb.Status(context.Background())
	must(t, err)
	return st
}

// put writes a file of another program, which syncs nothing.
func put(t testing.TB, fsys disk.FS, name, content string) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	must(t, err)
	_, err = io.WriteString(f, content)
	must(t, err)
	must(t, f.Close())
}

func get(t testing.TB, fsys disk.FS, name string) string {
	t.Helper()
	b, err := disk.ReadFile(fsys, name)
	must(t, err)
	return string(b)
}

// in lists the files of a user's folder that match a pattern.
func in(fsys *disktest.FS, pattern string) (names []string) {
	for name := range fsys.Files() {
		if ok, _ := filepath.Match(filepath.Join(root, "user", pattern), name); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func exists(fsys disk.FS, name string) bool {
	_, err := fsys.Stat(name)
	return err == nil
}
