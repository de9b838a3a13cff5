package mbox_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// Another program changes flags and then appends, so that a first look takes what was
// appended for all that is new. What we then change is made of the flags in the file.
func TestFlagsChangedUnseen(t *testing.T) {
	for _, looks := range []bool{true, false} {
		fsys := diskWith(t, "")
		mb := openMailbox(t, backendOn(fsys), "INBOX")
		for _, f := range []mailparts.Flag{"Work", mailparts.FlagDeleted, mailparts.FlagSeen} {
			_, err := mailparts.Append(t.Context(), mb, incoming("Subject: m\r\n\r\nm\r\n", f))
			must(t, err)
		}
		wantListing(t, "before", mb, "1 [Work] m", `2 [\Deleted] m`, `3 [\Seen] m`)
		others := func(from, to string) {
			t.Helper()
			before := fsys.Files()[inboxPath]
			after := strings.Replace(before, from, to, 1)
			if after == before || len(after) != len(before) {
				t.Fatalf("no %q in %q", from, before)
			}
			putFile(t, fsys, inboxPath, after+foreignMessage("new"))
			if looks {
				_, err := mb.Status(t.Context())
				must(t, err)
			}
		}

		others("X-Status:     \nX-Keywords: Work     ", "X-Status: A   \nX-Keywords: Work Home")
		set(t, mb, 1, mailparts.FlagFlagged)
		wantListing(t, "after our flag", openMailbox(t, backendOn(fsys), "INBOX"),
			`1 [\Answered \Flagged Work Home] m`, `2 [\Deleted] m`, `3 [\Seen] m`, "4 [] new")

		others("X-Status: D   ", "X-Status:     ")
		must(t, mb.Expunge(t.Context(), mailparts.AllUIDs(), mailparts.FlagDeleted))
		wantListing(t, "after our expunge", mb,
			`1 [\Answered \Flagged Work Home] m`, "2 [] m", `3 [\Seen] m`, "4 [] new", "5 [] new")
	}
}
