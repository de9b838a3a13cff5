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

// mutt sees our messages and flags, and we see what it flags and deletes. What looks
// like a From_ line in a body begins no message, here and there.
func TestMboxWithMutt(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	mb := mboxInbox(t, mail)
	const forged = "\r\nFrom mallory@example.com Mon Jan  1 00:00:00 2024\r\nSubject: forged\r\n\r\n3\r\n"
	appendTo(t, mb, "Subject: one\r\n\r\n1\r\n")
	appendTo(t, mb, "Subject: two\r\n\r\n2\r\n"+forged, mailparts.FlagSeen)
	appendTo(t, mb, "Subject: three\r\n\r\n3\r\n", mailparts.FlagSeen, mailparts.FlagFlagged)
	appendTo(t, mb, "Subject: four\r\n\r\n4\r\n"+forged, mailparts.FlagAnswered)
	uids := uidsOf(t, mb)
	list := filepath.Join(folder(t), "list")
	// What mutt shows of each flagged message, then: flag the last, "two", and delete
	// the one before it, "three".
	mutt(t, filepath.Join(mail, "alice", "inbox"), `<limit>~F<enter><pipe-entry>cat > `+list+`<enter><limit>all<enter>`+
		`<jump>4<enter><flag-message><jump>3<enter><delete-message><sync-mailbox>`)
	if b, _ := os.ReadFile(list); !strings.Contains(string(b), "Subject: three") {
		t.Errorf("mutt shows as flagged %q", b)
	}
	wantMessages(t, "after mutt", mb, "one:", `two: \Flagged \Seen`, `four: \Answered`)
	if got, want := uidsOf(t, mb), []mailparts.UID{uids[0], uids[1], uids[3]}; !slices.Equal(got, want) {
		t.Errorf("after mutt the UIDs are %v, want %v", got, want)
	}
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
