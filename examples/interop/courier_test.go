package interop_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// courier runs Courier's IMAP server for a user who is logged in, on a tree, until
// leave is called.
func courier(t testing.TB, tree string) (s *imapStore, leave func()) {
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
	stop := sync.OnceFunc(func() {
		nc.Close()
		cmd.Wait()
	})
	t.Cleanup(stop)
	s = &imapStore{TB: t, client: imapclient.New(nc, nil), prefix: "INBOX."}
	s.must("greeting", s.client.WaitGreeting())
	return s, func() {
		s.must("LOGOUT", s.client.Logout().Wait())
		stop()
	}
}

// courierStore is a tree that Courier serves, by a process for each call.
type courierStore struct {
	testing.TB
	tree string
}

func (s courierStore) do(what func(theirs *imapStore)) {
	s.Helper()
	theirs, leave := courier(s.TB, s.tree)
	what(theirs)
	leave()
}

func (s courierStore) view(name string) (v storeView) {
	s.Helper()
	s.do(func(theirs *imapStore) { v = theirs.view(name) })
	return v
}

func (s courierStore) append(name, body string, date time.Time, flags []mailparts.Flag) {
	s.Helper()
	s.do(func(theirs *imapStore) { theirs.append(name, body, date, flags) })
}

func (s courierStore) flag(name string, uid uint32, op mailparts.FlagOp, flags []mailparts.Flag) {
	s.Helper()
	s.do(func(theirs *imapStore) { theirs.flag(name, uid, op, flags) })
}

func (s courierStore) expunge(name string, uid uint32) {
	s.Helper()
	s.do(func(theirs *imapStore) { theirs.expunge(name, uid) })
}

func (s courierStore) copy(name string, uid uint32, to string) {
	s.Helper()
	s.do(func(theirs *imapStore) { theirs.copy(name, uid, to) })
}

// Courier and we serve one tree in turn, each with what the other has left.
func TestMaildirWithCourierInTurn(t *testing.T) {
	mailboxes := []string{"INBOX", "Größe"}
	for _, first := range []string{"Courier", "we"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			mail := filepath.Join(folder(t), "mail")
			tree := filepath.Join(mail, "alice")
			backend := &maildir.Backend{Root: mail, UTF8: true}
			theirs := courierStore{t, tree}
			ours := &ourStore{t, func() mailparts.Backend { return backend }, func() {
				if err := backend.ToCourier(t.Context(), "alice"); err != nil {
					t.Fatal(err)
				}
			}}
			if first == "we" {
				store, err := backend.Open(t.Context(), "alice")
				ours.must("Open", err)
				ours.must("Create", store.(mailparts.Manager).Create(t.Context(), "Größe"))
				ours.must("Subscribe", store.(mailparts.Subscriber).Subscribe(t.Context(), "Größe", true))
				ours.handOver()
			} else {
				emptyTree(t, tree)
				theirs.do(func(c *imapStore) {
					c.must("CREATE", c.client.Create("INBOX.Größe", nil).Wait())
					c.must("SUBSCRIBE", c.client.Subscribe("INBOX.Größe").Wait())
				})
			}
			validity := theirs.view("INBOX").UIDValidity
			takeTurns(t, ours, theirs, mailboxes, 30)
			if v := ours.view("INBOX").UIDValidity; v != validity {
				t.Errorf("the UIDVALIDITY was %d and is %d", validity, v)
			}
			theirs.do(func(c *imapStore) {
				subscribed, err := c.client.List("", "*", &goimap.ListOptions{SelectSubscribed: true}).Collect()
				c.must("LSUB", err)
				if !slices.ContainsFunc(subscribed, func(m *goimap.ListData) bool { return m.Mailbox == "INBOX.Größe" }) {
					t.Error("Courier has not subscribed to Größe")
				}
				c.must("UNSUBSCRIBE", c.client.Unsubscribe("INBOX.Größe").Wait())
			})
			store, err := backend.Open(t.Context(), "alice")
			ours.must("Open", err)
			if names, err := store.(mailparts.Subscriber).Subscribed(t.Context()); err != nil || slices.Contains(names, "Größe") {
				t.Errorf("we have subscribed to %q, %v", names, err)
			}
		})
	}
}

// emptyTree makes a tree as maildirmake does.
func emptyTree(t testing.TB, tree string) {
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(tree, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// We take over a tree of Courier's with UIDs, keywords and subscriptions, and give it
// back with all of them.
func TestMaildirFromCourierAndBack(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	tree := filepath.Join(mail, "alice")
	emptyTree(t, tree)
	theirs, leave := courier(t, tree)
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
	leave()

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
	ours.must("ToCourier", backend.ToCourier(t.Context(), "alice"))
	theirs, _ = courier(t, tree)
	if got := theirs.view("INBOX"); got.UIDValidity != want.UIDValidity || !slices.Equal(got.Messages, want.Messages) {
		t.Errorf("Courier shows\n%+v\nand we\n%+v", got, want)
	}
}
