package imap_test

import (
	"testing"

	"github.com/mailparts/mailparts"
)

func TestStore(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	r.selecting().play(`
		C: a1 STORE 1:2 +FLAGS (\Deleted Work)
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft Work)
		S: * 1 FETCH (FLAGS (\Deleted Work \Recent))
		S: * 2 FETCH (FLAGS (\Deleted Work \Recent))
		S: a1 OK STORE completed
		C: a2 UID STORE 3 FLAGS.SILENT \Seen
		S: a2 OK STORE completed
		C: a3 UID STORE 2 -FLAGS (work \Deleted)
		S: * 2 FETCH (UID 2 FLAGS (\Recent))
		S: a3 OK STORE completed
		C: a4 STORE 1 +FLAGS (\Other)
		S: a4 BAD No such system flag
		C: a5 EXPUNGE
		S: * 1 EXPUNGE
		S: a5 OK EXPUNGE completed
	`)
}

func TestConditionalStore(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n")
	c := r.selecting()
	st, err := r.inbox.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagFlagged}}); err != nil {
		t.Fatal(err)
	}
	got := c.do("STORE 1:2 (UNCHANGEDSINCE " + itoa(st.HighestModSeq) + ") +FLAGS.SILENT (\\Seen)")
	h := st.HighestModSeq
	want := []string{
		"* OK [HIGHESTMODSEQ " + itoa(h) + "] The highest mod-sequence",
		"* 1 FETCH (UID 1 MODSEQ (" + itoa(h+2) + "))",
		`* 2 FETCH (UID 2 FLAGS (\Flagged \Recent) MODSEQ (` + itoa(h+1) + "))",
		"OK [MODIFIED 2] Some messages were changed by others",
	}
	equal(t, got, want)
}

func TestAppend(t *testing.T) {
	r := start(t, nil)
	c := r.selecting()
	st, _ := r.inbox.Status(t.Context())
	v := itoa(st.UIDValidity)
	c.play(`
		C: a1 APPEND INBOX (\Seen Work) "17-Jul-1996 02:44:25 -0700" {5}
		S: + OK
		C: hello
		S: * 1 EXISTS
		S: * 1 RECENT
		S: a1 OK [APPENDUID ` + v + ` 1] APPEND completed
		C: a2 APPEND {5+}
		inbox {3+}
		one {3}
		S: + OK
		C: two
		S: * 3 EXISTS
		S: * 3 RECENT
		S: a2 OK [APPENDUID ` + v + ` 2:3] APPEND completed
		C: a3 APPEND none {3+}
		one
		S: a3 NO [TRYCREATE] No such mailbox
		C: a4 APPEND none {30}
		S: a4 NO [TRYCREATE] No such mailbox
		C: a5 APPEND INBOX {200000000}
		S: a5 NO [TOOBIG] The message is too large
		C: a6 APPEND INBOX (\Seen {3+}
		one
		S: a6 BAD ...
		C: a7 FETCH 1 (INTERNALDATE FLAGS BODY.PEEK[])
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft Work)
		S: * 1 FETCH (INTERNALDATE "17-Jul-1996 02:44:25 -0700" FLAGS (\Seen Work \Recent) BODY[] {5}
		hello)
		S: a7 OK FETCH completed
		C: a8 UID COPY 1:2 INBOX
		S: * 5 EXISTS
		S: * 5 RECENT
		S: a8 OK [COPYUID ` + v + ` 1:2 4:5] COPY completed
		C: a9 MOVE 1 INBOX
		S: * OK [COPYUID ` + v + ` 1 6] Moved
		S: * 1 EXPUNGE
		S: * 5 EXISTS
		S: * 5 RECENT
		S: a9 OK MOVE completed
		C: b1 UID REPLACE 6 INBOX {3+}
		new
		S: * OK [APPENDUID ` + v + ` 7] Replacement is there
		S: * 5 EXPUNGE
		S: * 5 EXISTS
		S: * 5 RECENT
		S: b1 OK REPLACE completed
	`)
}
