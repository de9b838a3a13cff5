package interop_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// syncPrograms keep a tree of Maildirs like the mailboxes of a server. Each is set up
// for a home folder, and gives the words that run it once. The tree's mailboxes are
// folders in folders.
var syncPrograms = map[string]func(t *testing.T, s *imapServer, home, tree string) []string{
	"mbsync":      mbsync,
	"offlineimap": offlineimap,
}

func mbsync(t *testing.T, s *imapServer, home, tree string) []string {
	rc := write(t, filepath.Join(home, "mbsyncrc"), 0o600,
		"IMAPAccount ours", "Host localhost", "Port "+port(s.tlsAddr), "User alice", "Pass "+password, "SSLType IMAPS", "CertificateFile "+s.certificate,
		"", "IMAPStore server", "Account ours",
		"", "MaildirStore local", "Path "+tree+"/", "Inbox "+tree+"/INBOX", "SubFolders Verbatim",
		"", "Channel all", "Far :server:", "Near :local:", "Patterns *", "Create Both", "Remove Both", "Expunge Both", "SyncState *")
	return []string{need(t, "mbsync")[0], "-V", "-c", rc, "all"}
}

func offlineimap(t *testing.T, s *imapServer, home, tree string) []string {
	rc := write(t, filepath.Join(home, "offlineimaprc"), 0o600,
		"[general]", "accounts = ours", "metadata = "+filepath.Join(home, "metadata"), "ui = basic", "fsync = False", "socktimeout = 30",
		"[Account ours]", "localrepository = local", "remoterepository = server",
		"[Repository local]", "type = Maildir", "localfolders = "+tree, "sep = /", "sync_deletes = yes",
		"[Repository server]", "type = IMAP", "remotehost = localhost", "remoteport = "+port(s.tlsAddr), "remoteuser = alice", "remotepass = "+password,
		"ssl = yes", "sslcacertfile = "+s.certificate)
	return []string{need(t, "offlineimap")[0], "-c", rc, "-1", "-o"}
}

// What is new, flagged and deleted goes both ways, and nothing is doubled.
func TestIMAPSynchronised(t *testing.T) {
	for name, program := range syncPrograms {
		for kind, backend := range imapStores {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				synchronise(t, serveIMAP(t, backend(filepath.Join(folder(t), "mail"))), name, program)
			})
		}
	}
}

func synchronise(t *testing.T, s *imapServer, name string, program func(t *testing.T, s *imapServer, home, tree string) []string) {
	s.numbered("INBOX", "one", "two", "three")
	s.numbered("Work/Past", "four")
	home := folder(t)
	tree := filepath.Join(home, "tree")
	if err := os.Mkdir(tree, 0o700); err != nil {
		t.Fatal(err)
	}
	words := program(t, s, home, tree)
	sync := func() {
		t.Helper()
		out := run(t, "", words[0], words[1:]...)
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, out)
		}
	}

	sync()
	inbox := localMailbox(t, tree, "INBOX")
	wantSorted(t, "at first", inbox, "one:", "two:", "three:")
	wantSorted(t, "at first", localMailbox(t, tree, "Work/Past"), "four:")

	// Here: a flag, a deletion, a message. There: the same of others.
	flagNamed(t, inbox, "one", mailparts.FlagFlagged, mailparts.FlagSeen)
	expungeNamed(t, inbox, "two")
	appendTo(t, inbox, letterNamed("local"), mailparts.FlagSeen)
	remote := s.numbered("INBOX", "remote")
	flagNamed(t, remote, "three", mailparts.FlagAnswered)
	expungeNamed(t, s.mailbox("Work/Past"), "four")
	s.numbered("Later", "five")
	sync()
	sync()
	want := []string{`one: \Flagged \Seen`, `three: \Answered`, `local: \Seen`, "remote:"}
	s.want(name, "INBOX", want...)
	s.want(name, "Work/Past")
	wantSorted(t, "after all", inbox, want...)
	wantSorted(t, "after all", localMailbox(t, tree, "Work/Past"))
	wantSorted(t, "after all", localMailbox(t, tree, "Later"), "five:")
}

// localMailbox is a Maildir in a folder of the tree.
func localMailbox(t testing.TB, tree, name string) mailparts.Mailbox {
	t.Helper()
	dir := filepath.Join(tree, filepath.FromSlash(name))
	if _, err := os.Stat(filepath.Join(dir, "cur")); err != nil {
		t.Fatal(err)
	}
	store, err := (&maildir.Backend{Root: filepath.Dir(dir)}).Open(t.Context(), filepath.Base(dir))
	if err != nil {
		t.Fatal(err)
	}
	mb, err := store.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return mb
}

// wantSorted compares a mailbox with "subject: flags" in any order.
func wantSorted(t testing.TB, who string, mb mailparts.Mailbox, want ...string) {
	t.Helper()
	got := flagsAndSubjects(t, mb)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: the mailbox has %q, want %q", who, got, want)
	}
}

// named is the UID of a message of letterNamed.
func named(t testing.TB, mb mailparts.Mailbox, subject string) mailparts.UIDSet {
	t.Helper()
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(bodyOf(t, mb, m), "Subject: "+subject+"\r\n") {
			return oneUID(uint32(m.UID))
		}
	}
	t.Fatalf("no message %q", subject)
	return mailparts.UIDSet{}
}

func flagNamed(t testing.TB, mb mailparts.Mailbox, subject string, flags ...mailparts.Flag) {
	t.Helper()
	if _, _, err := mb.SetFlags(t.Context(), named(t, mb, subject), mailparts.FlagChange{Flags: flags}); err != nil {
		t.Fatal(err)
	}
}

func expungeNamed(t testing.TB, mb mailparts.Mailbox, subject string) {
	t.Helper()
	if err := mb.Expunge(t.Context(), named(t, mb, subject), ""); err != nil {
		t.Fatal(err)
	}
}
