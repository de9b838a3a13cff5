package interop_test

import (
	"encoding/json"
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

// Python's mailbox.Maildir reads what we wrote, and we read what it wrote, moved and
// removed.
func TestMaildirWithPython(t *testing.T) {
	t.Parallel()
	python := need(t, "python3")[0]
	tree, mb := plainMaildir(t)
	appendTo(t, mb, "Subject: one\r\n\r\nFrom here\r\n")
	appendTo(t, mb, "Subject: two\r\n\r\n2\r\n", mailparts.FlagSeen, mailparts.FlagFlagged)
	out := run(t, `
import json, mailbox, sys
box = mailbox.Maildir(sys.argv[1], create=False)
print(json.dumps(sorted([m["subject"], m.get_subdir(), m.get_flags(), m.get_payload()] for m in box)))
for key, m in box.items():
    if m["subject"] == "one":
        m.set_subdir("cur"); m.add_flag("R"); box[key] = m
    else:
        box.remove(key)
m = mailbox.MaildirMessage("Subject: three\n\n3\n"); m.set_flags("DT"); m.set_subdir("cur")
box.add(m)
box.add("Subject: four\n\n4\n")
`, python, "-", tree)
	var theirs [][4]string
	if err := json.Unmarshal([]byte(out), &theirs); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if want := [][4]string{{"one", "new", "", "From here\n"}, {"two", "cur", "FS", "2\n"}}; !slices.Equal(theirs, want) {
		t.Errorf("Python reads %q, want %q", theirs, want)
	}
	if got := flagsAndSubjects(t, mb); len(got) != 3 {
		t.Errorf("after Python the mailbox has %q", got)
	} else {
		slices.Sort(got)
		if want := []string{`four:`, `one: \Answered`, `three: \Deleted \Draft`}; !slices.Equal(got, want) {
			t.Errorf("after Python the mailbox has %q, want %q", got, want)
		}
	}
}

// mutt sees our flags, and we see what it flags, deletes and copies.
func TestMaildirWithMutt(t *testing.T) {
	t.Parallel()
	tree, mb := plainMaildir(t)
	appendTo(t, mb, "Subject: one\r\n\r\n1\r\n")
	appendTo(t, mb, "Subject: two\r\n\r\n2\r\n", mailparts.FlagSeen)
	appendTo(t, mb, "Subject: three\r\n\r\n3\r\n", mailparts.FlagSeen, mailparts.FlagFlagged)
	appendTo(t, mb, "Subject: four\r\n\r\n4\r\n", mailparts.FlagAnswered)
	list := filepath.Join(folder(t), "list")
	// What mutt shows of each flagged message, then: flag the second, delete the third.
	mutt(t, tree, `<limit>~F<enter><pipe-entry>cat > `+list+`<enter><limit>all<enter>`+
		`<jump>2<enter><flag-message><jump>3<enter><delete-message><sync-mailbox>`)
	if b, _ := os.ReadFile(list); !strings.Contains(string(b), "Subject: three") {
		t.Errorf("mutt shows as flagged %q", b)
	}
	wantMessages(t, "after mutt", mb, "one:", `two: \Flagged \Seen`, `four: \Answered`)
}

// mutt opens a mailbox and types keys.
func mutt(t testing.TB, mailbox, keys string) {
	t.Helper()
	program := need(t, "mutt", "script")
	home := folder(t)
	rc := write(t, filepath.Join(home, "muttrc"), 0o600,
		"set mark_old=no", "set delete=yes", "set quit=yes", "set sort=mailbox-order", "set wait_key=no", "set sleep_time=0", "set pipe_decode=no",
		"set folder="+home, "set header_cache=", "set tmpdir="+home, "unset confirmappend", "set move=no", "set timeout=1",
		`push "`+keys+`<quit>"`)
	command := "TERM=xterm HOME=" + home + " " + program[0] + " -F " + rc + " -f " + mailbox
	run(t, "", program[1], "-qec", command, "/dev/null")
}
