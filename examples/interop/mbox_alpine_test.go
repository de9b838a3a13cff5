package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mbox"
)

// alpine opens an mbox and types keys in its index: "j,1,CR" goes to the first message,
// "d" deletes, "*,*" flags as important, "x" expunges.
func alpine(t testing.TB, mailbox, keys string) {
	t.Helper()
	program := need(t, "alpine", "script")
	home := folder(t)
	if err := os.Mkdir(filepath.Join(home, "mail"), 0o700); err != nil { // else it says for four seconds that it makes it
		t.Fatal(err)
	}
	rc := write(t, filepath.Join(home, "pinerc"), 0o600,
		"inbox-path="+mailbox, "personal-name=Alice", "user-domain=example.test", "sort-key=arrival", "last-version-used=9.99",
		"feature-list=enable-flag-cmd,enable-jump-shortcut,expunge-without-confirm,expunge-without-confirm-everywhere,quit-without-confirm")
	command := fmt.Sprintf("stty rows 24 cols 100; TERM=vt100 HOME=%s timeout --foreground 20 %s -p %s -f %s -I 'i,%s,q'", home, program[0], rc, mailbox, keys)
	run(t, "", program[1], "-qec", command, "/dev/null")
}

// Alpine, which is UW-IMAP's library, and we take turns: flags, keywords, UIDs and
// UIDVALIDITY stay through its rewriting of the file and ours.
func TestMboxWithAlpine(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	file := filepath.Join(mail, "alice", "inbox")
	mb := mboxInbox(t, mail)
	appendTo(t, mb, "Subject: one\r\n\r\n1\r\n")
	appendTo(t, mb, "Subject: two\r\n\r\n2\r\n", mailparts.FlagSeen, "Work")
	appendTo(t, mb, "Subject: three\r\n\r\n3\r\nFrom the body\r\n", mailparts.FlagAnswered)
	before := statusOf(t, mb)

	alpine(t, file, "j,1,CR,d,*,*,x")
	wantMessages(t, "after alpine", mb, `two: Work \Flagged \Seen`, `three: \Answered`)
	wantUIDs(t, mb, before.UIDValidity, 2, 3)

	appendTo(t, mb, "Subject: four\r\n\r\n4\r\n", "Home")
	if _, _, err := mb.SetFlags(t.Context(), oneUID(3), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagFlagged, "Work"}}); err != nil {
		t.Fatal(err)
	}
	alpine(t, file, "j,1,CR,d,x")
	wantMessages(t, "after alpine again", mb, `three: Work \Answered \Flagged`, "four: Home")
	wantUIDs(t, mb, before.UIDValidity, 3, 4)

	if err := mb.Expunge(t.Context(), oneUID(4), ""); err != nil {
		t.Fatal(err)
	}
	alpine(t, file, "j,1,CR,d,x") // leaves the message that holds UW-IMAP's data
	if b, _ := os.ReadFile(file); !strings.Contains(string(b), "FOLDER INTERNAL DATA") {
		t.Errorf("alpine has left %q", b)
	}
	wantUIDs(t, mb, before.UIDValidity)
	appendTo(t, mb, "Subject: five\r\n\r\n5\r\n")
	wantUIDs(t, mb, before.UIDValidity, 5)
	alpine(t, file, "j,1,CR,*,*,x")
	wantMessages(t, "alpine's flag", mb, `five: \Flagged`)
	wantUIDs(t, mb, before.UIDValidity, 5)
}

// What alpine had first we take over: its UIDVALIDITY, UIDs and flags.
func TestMboxFromAlpine(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	file := filepath.Join(mail, "alice", "inbox")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, s := range []string{"one", "two", "three"} {
		fmt.Fprintf(&text, "From a@example.test Thu Jan  2 03:04:05 2020\nFrom: a@example.test\nSubject: %s\n\nbody\n\n", s)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	alpine(t, file, "j,1,CR,d,*,*,x")
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	base := regexp.MustCompile(`X-IMAPbase: (\d+) `).FindSubmatch(after)
	if base == nil {
		t.Fatalf("alpine has left %q", after)
	}
	mb := mboxInbox(t, mail)
	wantMessages(t, "alpine's", mb, `two: \Flagged`, "three:")
	wantUIDs(t, mb, statusOf(t, mb).UIDValidity, 2, 3)
	if st := statusOf(t, mb); fmt.Sprint(st.UIDValidity) != string(base[1]) {
		t.Errorf("the UIDVALIDITY is %d, alpine's was %s", st.UIDValidity, base[1])
	}
}

// Alpine saves a message to an empty mailbox of ours: its flags and keywords go along, and
// the message that holds UW-IMAP's data, which nobody is shown, stays the first.
func TestMboxSavedByAlpine(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	inbox := mboxInbox(t, mail)
	appendTo(t, inbox, "Subject: one\r\n\r\n1\r\n", "Work", mailparts.FlagSeen)
	appendTo(t, inbox, "Subject: two\r\n\r\n2\r\n", "Home")
	store, err := (&mbox.Backend{Root: mail}).Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.(mailparts.Manager).Create(t.Context(), "Saved"); err != nil {
		t.Fatal(err)
	}
	saved, err := store.Mailbox(t.Context(), "Saved")
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, saved, "Subject: gone\r\n\r\n")
	if err := saved.Expunge(t.Context(), oneUID(1), ""); err != nil {
		t.Fatal(err)
	}
	was, file := statusOf(t, saved), filepath.Join(mail, "alice", "Saved")

	alpine(t, filepath.Join(mail, "alice", "inbox"), `j,1,CR,*,a,*,*,s,^U,"`+file+`",CR,x`)
	wantMessages(t, "what alpine left", inbox, "two: Home")
	wantMessages(t, "what alpine saved", saved, `one: Work \Answered \Flagged \Seen`)
	uids := uidsOf(t, saved)
	if uids[0] < was.UIDNext {
		t.Errorf("what alpine saved has the UID %d, the next was %d", uids[0], was.UIDNext)
	}
	alpine(t, file, "j,1,CR,*,n,x") // not seen
	wantMessages(t, "what alpine saved, once more", saved, `one: Work \Answered \Flagged`)
	wantUIDs(t, saved, was.UIDValidity, uids...)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n\n")
	if !strings.Contains(first, "FOLDER INTERNAL DATA") || strings.Count(string(text), "FOLDER INTERNAL DATA") != 1 {
		t.Errorf("alpine has left %q", text)
	}
}

func statusOf(t testing.TB, mb mailparts.Mailbox) mailparts.Status {
	t.Helper()
	st, err := mb.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func wantUIDs(t testing.TB, mb mailparts.Mailbox, validity uint32, want ...mailparts.UID) {
	t.Helper()
	st := statusOf(t, mb)
	if got := uidsOf(t, mb); !slices.Equal(got, want) || st.UIDValidity != validity || int(st.Messages) != len(want) {
		t.Errorf("%d messages, UIDs %v under %d, want %v under %d", st.Messages, got, st.UIDValidity, want, validity)
	}
}
