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

// plainMaildir is alice's INBOX in a tree that any program may read.
func plainMaildir(t testing.TB) (tree string, mb mailparts.Mailbox) {
	t.Helper()
	mail := filepath.Join(folder(t), "mail")
	store, err := (&maildir.Backend{Root: mail}).Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if mb, err = store.Mailbox(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(mail, "alice"), mb
}

func appendTo(t testing.TB, mb mailparts.Mailbox, body string, flags ...mailparts.Flag) {
	t.Helper()
	if _, err := mailparts.Append(t.Context(), mb, mailparts.Incoming{Body: strings.NewReader(body), Flags: flags}); err != nil {
		t.Fatal(err)
	}
}

// flagsAndSubjects are "Subject: flags" of each message.
func flagsAndSubjects(t testing.TB, mb mailparts.Mailbox) (lines []string) {
	t.Helper()
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			t.Fatal(err)
		}
		_, subject, _ := strings.Cut(bodyOf(t, mb, m), "Subject: ")
		subject, _, _ = strings.Cut(subject, "\r\n")
		var flags []string
		for _, f := range m.Flags {
			flags = append(flags, string(f))
		}
		slices.Sort(flags)
		lines = append(lines, strings.TrimSpace(subject+": "+strings.Join(flags, " ")))
	}
	return lines
}

func wantMessages(t testing.TB, who string, mb mailparts.Mailbox, want ...string) {
	t.Helper()
	if got := flagsAndSubjects(t, mb); !slices.Equal(got, want) {
		t.Errorf("%s: the mailbox has %q, want %q", who, got, want)
	}
}

// mutt sees our flags, and we see what it flags and deletes. UIDs and keywords stay.
func TestMaildirWithMutt(t *testing.T) {
	t.Parallel()
	tree, mb := plainMaildir(t)
	appendTo(t, mb, "Subject: one\r\n\r\n1\r\n")
	appendTo(t, mb, "Subject: two\r\n\r\n2\r\n", mailparts.FlagSeen, "Work")
	appendTo(t, mb, "Subject: three\r\n\r\n3\r\n", mailparts.FlagSeen, mailparts.FlagFlagged)
	appendTo(t, mb, "Subject: four\r\n\r\n4\r\n", mailparts.FlagAnswered, "Home")
	before := statusOf(t, mb)
	list := filepath.Join(folder(t), "list")
	// What mutt shows of each flagged message, then: flag the second, delete the third.
	mutt(t, tree, `<limit>~F<enter><pipe-entry>cat > `+list+`<enter><limit>all<enter>`+
		`<jump>4<enter><flag-message><jump>3<enter><delete-message><sync-mailbox>`)
	if b, _ := os.ReadFile(list); !strings.Contains(string(b), "Subject: three") {
		t.Errorf("mutt shows as flagged %q", b)
	}
	wantMessages(t, "after mutt", mb, "one:", `two: Work \Flagged \Seen`, `four: Home \Answered`)
	wantUIDs(t, mb, before.UIDValidity, 1, 2, 4)
	appendTo(t, mb, "Subject: five\r\n\r\n5\r\n")
	wantUIDs(t, mb, before.UIDValidity, 1, 2, 4, 5)
	wantUIDs(t, ourInbox(t, &maildir.Backend{Root: filepath.Dir(tree)}), before.UIDValidity, 1, 2, 4, 5)
}

// mutt opens a mailbox and types keys.
func mutt(t testing.TB, mailbox, keys string) {
	t.Helper()
	program := need(t, "mutt", "script")
	home := folder(t)
	rc := write(t, filepath.Join(home, "muttrc"), 0o600,
		"set mark_old=no", "set delete=yes", "set quit=yes", "set sort=subject", "set wait_key=no", "set sleep_time=0", "set pipe_decode=no",
		"set folder="+home, "set header_cache=", "set tmpdir="+home, "unset confirmappend", "set move=no", "set timeout=1",
		`push "`+keys+`<quit>"`)
	command := "TERM=xterm HOME=" + home + " " + program[0] + " -F " + rc + " -f " + mailbox
	run(t, "", program[1], "-qec", command, "/dev/null")
}
