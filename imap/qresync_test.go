package imap_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// resync fills INBOX with six messages, of which 2 and 5 go and 3 is flagged after the
// mod-sequence that it returns.
func resync(t *testing.T, r *rig) (since string) {
	t.Helper()
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n", "5\r\n", "6\r\n")
	st, err := r.inbox.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}, {First: 5, Last: 5}}, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.UIDSet{{First: 3, Last: 3}}, mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagFlagged}}); err != nil {
		t.Fatal(err)
	}
	return itoa(st.HighestModSeq)
}

// RFC 7162 section 3.2.5.
func TestQresyncSelect(t *testing.T) {
	r := start(t, nil)
	since := resync(t, r)
	c := r.login()
	equal(t, c.do("SELECT INBOX (QRESYNC (1 "+since+"))"), []string{"BAD QRESYNC has not been enabled"})
	c.do("ENABLE QRESYNC")
	flagged := `* 2 FETCH (UID 3 FLAGS (\Flagged \Recent) MODSEQ (`
	for params, want := range map[string][]string{
		"1 " + since:                                      {"* VANISHED (EARLIER) 2,5", flagged},
		"1 " + since + " 1:4":                             {"* VANISHED (EARLIER) 2", flagged},
		"1 " + since + " 4:6":                             {"* VANISHED (EARLIER) 5"},
		"1 " + since + " 1:4294967295":                    {"* VANISHED (EARLIER) 2,5", flagged},
		"1 " + since + " 1:6 (1:3 1,3,4)":                 {"* VANISHED (EARLIER) 5", flagged}, // up to 4 nothing is missing
		"1 " + since + " 1:6 (1,2,6 1,2,6)":               {"* VANISHED (EARLIER) 2,5", flagged},
		"1 " + since + " (1:3 1,3,4)":                     {"* VANISHED (EARLIER) 5", flagged},
		"2 " + since:                                      nil, // another mailbox of that name
		"1 9223372036854775807":                           nil,
		"1 " + since + " 1:6 (1:4294967295 1:4294967295)": {"* VANISHED (EARLIER) 2,5", flagged},
	} {
		got := c.do("EXAMINE INBOX (QRESYNC (" + params + "))")
		if last := got[len(got)-1]; last != "OK [READ-ONLY] EXAMINE completed" {
			t.Fatalf("%s: %s", params, last)
		}
		i := slices.IndexFunc(got, func(l string) bool { return strings.HasPrefix(l, "* OK [MAILBOXID") })
		told := got[i+1 : len(got)-1]
		if !slices.EqualFunc(told, want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", params, told, want)
		}
	}
	for _, params := range []string{"", "1", "0 1", "1 " + since + " *", "1 " + since + " $", "1 " + since + " 1:6 (1 *)", "1 " + since + " 1:6 (1)", "1 9223372036854775808"} {
		if got := c.do("SELECT INBOX (QRESYNC (" + params + "))"); !strings.HasPrefix(got[len(got)-1], "BAD ") {
			t.Errorf("%q: %q", params, got)
		}
	}
}

// RFC 7162 sections 3.2.6, 3.2.7 and 3.2.10.
func TestVanished(t *testing.T) {
	r := start(t, nil)
	since := resync(t, r)
	c := r.login()
	c.do("ENABLE QRESYNC")
	c.do("SELECT INBOX")
	st, err := r.inbox.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := func(n mailparts.ModSeq) string { return itoa(st.HighestModSeq + n) }
	c.play(`
		C: a1 UID FETCH 1:5 FLAGS (CHANGEDSINCE ` + since + ` VANISHED)
		S: * VANISHED (EARLIER) 2,5
		S: * 2 FETCH (UID 3 FLAGS (\Flagged \Recent) MODSEQ (` + at(0) + `))
		S: a1 OK FETCH completed
		C: a2 FETCH 1 FLAGS (CHANGEDSINCE ` + since + ` VANISHED)
		S: a2 BAD VANISHED is for ...
		C: a3 UID STORE 1,6 +FLAGS.SILENT (\Deleted)
		S: * 1 FETCH (UID 1 MODSEQ (` + at(1) + `))
		S: * 4 FETCH (UID 6 MODSEQ (` + at(1) + `))
		S: a3 OK STORE completed
		C: a4 EXPUNGE
		S: * VANISHED 1,6
		S: a4 OK [HIGHESTMODSEQ ` + at(2) + `] EXPUNGE completed
		C: a5 UID FETCH 1:* UID
		S: * 1 FETCH (UID 3)
		S: * 2 FETCH (UID 4)
		S: a5 OK FETCH completed
		C: a6 SELECT INBOX
		S: * OK [CLOSED] Previous mailbox is closed
		S: * FLAGS ...
	`)
}

// What others expunge is told by VANISHED, but not while sequence numbers are in use.
func TestVanishedIsNotToldDuringFetch(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.login()
	c.do("ENABLE QRESYNC")
	c.do("SELECT INBOX")
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 1, Last: 1}}, ""); err != nil {
		t.Fatal(err)
	}
	r.fill("4\r\n")
	c.play(`
		C: a1 FETCH 2 UID
		S: * 2 FETCH (UID 2)
		S: * 4 EXISTS
		S: * 4 RECENT
		S: * OK [HIGHESTMODSEQ 4] ...
		S: a1 OK FETCH completed
		C: a2 FETCH 1:2 UID
		S: * 2 FETCH (UID 2)
		S: * OK [HIGHESTMODSEQ 4] ...
		S: a2 NO [EXPUNGEISSUED] Some of the messages are no longer there
		C: a3 COPY 1 INBOX
		S: * VANISHED 1
		S: * OK [HIGHESTMODSEQ 6] ...
		S: a3 NO [EXPUNGEISSUED] Some of the messages are no longer there
		C: a4 FETCH 1:3 UID
		S: * 1 FETCH (UID 2)
		S: * 2 FETCH (UID 3)
		S: * 3 FETCH (UID 4)
		S: a4 OK FETCH completed
	`)
}
