package interop_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// courier runs Courier's IMAP server for a user who is logged in, on a tree.
func courier(t testing.TB, tree string) *imapStore {
	t.Helper()
	program := unpacked(t, "courier", "usr/bin/imapd")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(program, tree)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(tree), "AUTHENTICATED=alice", "IMAP_KEYWORDS=1", "IMAP_CAPABILITY=IMAP4rev1 UIDPLUS"}
	cmd.Stdin, cmd.Stdout = f, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		nc.Close()
		cmd.Wait()
	})
	s := &imapStore{TB: t, client: imapclient.New(nc, nil), prefix: "INBOX."}
	s.must("greeting", s.client.WaitGreeting())
	return s
}

// We take over a tree of Courier's with UIDs, keywords and subscriptions, and give it
// back with all messages and flags.
func TestMaildirFromCourierAndBack(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	tree := filepath.Join(mail, "alice")
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(tree, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	theirs := courier(t, tree)
	theirs.must("CREATE", theirs.client.Create("INBOX.Größe", nil).Wait())
	theirs.must("SUBSCRIBE", theirs.client.Subscribe("INBOX.Größe").Wait())
	day := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	mailboxes := []string{"INBOX", "Größe"}
	for _, name := range mailboxes {
		theirs.append(name, "Subject: one\r\n\r\n1\r\n", day, []mailparts.Flag{`\Seen`, "Work"})
		theirs.append(name, "Subject: two\r\n\r\n2\r\n", day.AddDate(1, 0, 0), nil)
		theirs.append(name, "Subject: three\r\n\r\n3\r\n", day.AddDate(2, 0, 0), []mailparts.Flag{`\Flagged`, "$Forwarded", "Work"})
		theirs.expunge(name, 2)
		theirs.append(name, "Subject: four\r\n\r\n4\r\n", day.AddDate(3, 0, 0), []mailparts.Flag{`\Answered`})
	}
	var before []storeView
	for _, name := range mailboxes {
		before = append(before, theirs.view(name))
	}
	theirs.must("LOGOUT", theirs.client.Logout().Wait())

	backend := &maildir.Backend{Root: mail, UTF8: true} // as Courier has them since version 5
	ours := &ourStore{t, func() mailparts.Backend { return backend }, func() {}}
	for i, name := range mailboxes {
		if got := ours.view(name); got.UIDValidity != before[i].UIDValidity || !slices.Equal(got.Messages, before[i].Messages) {
			t.Errorf("%s was\n%+v\nwith Courier, and is\n%+v", name, before[i], got)
		}
	}
	store, err := backend.Open(t.Context(), "alice")
	ours.must("Open", err)
	names, err := store.(mailparts.Subscriber).Subscribed(t.Context())
	if ours.must("Subscribed", err); !slices.Contains(names, "Größe") {
		t.Errorf("subscribed to %q", names)
	}

	ours.append("INBOX", "Subject: five\r\n\r\n5\r\n", day.AddDate(4, 0, 0), []mailparts.Flag{`\Draft`})
	ours.flag("INBOX", 1, mailparts.ReplaceFlags, []mailparts.Flag{`\Flagged`})
	ours.expunge("INBOX", 3)
	want := ours.view("INBOX")
	got := courier(t, tree).view("INBOX")
	if len(got.Messages) != len(want.Messages) {
		t.Fatalf("Courier shows %+v, we %+v", got, want)
	}
	for i, m := range got.Messages {
		m.UID = want.Messages[i].UID // UIDs are Courier's own again, and keywords those that it had
		m.Flags, want.Messages[i].Flags = systemFlags(m.Flags), systemFlags(want.Messages[i].Flags)
		if m != want.Messages[i] {
			t.Errorf("Courier shows %+v, we %+v", m, want.Messages[i])
		}
	}
}

// systemFlags leaves out keywords.
func systemFlags(flags string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(flags), func(f string) bool { return f[0] != '\\' }), " ")
}
