package interop_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// procmail and maildrop deliver to a spool that we serve.
func TestMboxDeliveryAgents(t *testing.T) {
	for name, agent := range agents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mail := filepath.Join(folder(t), "mail")
			mb := mboxInbox(t, mail)
			program, args := agent(t, filepath.Join(mail, "alice", "inbox"))
			whileServed(t, mb, slices.Concat(intact, quoted), func(msg string) {
				if out, err := try(msg, program, args...); err != nil {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			})
		})
	}
}

// mutt and we take turns: it sees our messages and flags, and we see what it flags and
// deletes. It knows no UIDs and keywords, and they stay through its rewriting of the
// file, in the file. What looks like a From_ line in a body begins no message, here and
// there.
func TestMboxWithMutt(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	file := filepath.Join(mail, "alice", "inbox")
	mb := mboxInbox(t, mail)
	const forged = "\r\nFrom mallory@example.com Mon Jan  1 00:00:00 2024\r\nSubject: forged\r\n\r\n3\r\n"
	appendTo(t, mb, "Subject: zero\r\n\r\n0\r\n")
	appendTo(t, mb, "Subject: one\r\n\r\n1\r\n", "Later")
	appendTo(t, mb, "Subject: two\r\n\r\n2\r\n"+forged, mailparts.FlagSeen, "Work", "Home")
	appendTo(t, mb, "Subject: three\r\n\r\n3\r\n", mailparts.FlagSeen, mailparts.FlagFlagged, "Work")
	appendTo(t, mb, "Subject: four\r\n\r\n4\r\n"+forged, mailparts.FlagAnswered, "Home")
	if err := mb.Expunge(t.Context(), oneUID(1), ""); err != nil { // so that UIDs are no places
		t.Fatal(err)
	}
	validity := statusOf(t, mb).UIDValidity
	want := func(who string, uids []mailparts.UID, messages ...string) {
		t.Helper()
		wantMessages(t, who, mb, messages...)
		wantUIDs(t, mb, validity, uids...)
		alone := inboxOf(t, file) // which we have looked at
		wantMessages(t, who+", in the file", alone, messages...)
		wantUIDs(t, alone, validity, uids...)
	}
	list := filepath.Join(folder(t), "list")
	// What mutt shows of each flagged message, then: flag the last, "two", and delete
	// the one before it, "three".
	mutt(t, file, `<limit>~F<enter><pipe-entry>cat > `+list+`<enter><limit>all<enter>`+
		`<jump>4<enter><flag-message><jump>3<enter><delete-message><sync-mailbox>`)
	if b, _ := os.ReadFile(list); !strings.Contains(string(b), "Subject: three") {
		t.Errorf("mutt shows as flagged %q", b)
	}
	want("after mutt", []mailparts.UID{2, 3, 5}, "one: Later", `two: Home Work \Flagged \Seen`, `four: Home \Answered`)

	appendTo(t, mb, "Subject: five\r\n\r\n5\r\n", "Work")
	if _, _, err := mb.SetFlags(t.Context(), oneUID(2), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagFlagged, "Home"}}); err != nil {
		t.Fatal(err)
	}
	if err := mb.Expunge(t.Context(), oneUID(3), ""); err != nil {
		t.Fatal(err)
	}
	// "five", "four" and "one".
	mutt(t, file, `<limit>~F<enter><pipe-entry>cat > `+list+`<enter><limit>all<enter>`+
		`<jump>2<enter><flag-message><jump>3<enter><flag-message><sync-mailbox>`)
	if b, _ := os.ReadFile(list); !strings.Contains(string(b), "Subject: one") {
		t.Errorf("mutt shows as flagged after our turn %q", b)
	}
	want("after mutt again", []mailparts.UID{2, 5, 6}, "one: Home Later", `four: Home \Answered \Flagged`, "five: Work")

	// The first message of the file, "one", takes the UIDVALIDITY with it.
	mutt(t, file, `<jump>3<enter><delete-message><sync-mailbox>`)
	want("after mutt has deleted the first", []mailparts.UID{5, 6}, `four: Home \Answered \Flagged`, "five: Work")
}

// inboxOf is what a copy of a file has by itself, without what lies beside it.
func inboxOf(t testing.TB, file string) mailparts.Mailbox {
	t.Helper()
	mail := filepath.Join(folder(t), "mail")
	content, err := os.ReadFile(file)
	if err == nil {
		err = os.MkdirAll(filepath.Join(mail, "alice"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(mail, "alice", "inbox"), content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return mboxInbox(t, mail)
}

func uidsOf(t testing.TB, mb mailparts.Mailbox) (uids []mailparts.UID) {
	t.Helper()
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		uids = append(uids, m.UID)
	}
	return uids
}
