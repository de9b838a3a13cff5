package imap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// highest is INBOX's mod-sequence now.
func (r *rig) highest() mailparts.ModSeq {
	r.t.Helper()
	st, err := r.inbox.Status(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return st.HighestModSeq
}

// flag adds a flag to messages of INBOX, as another session does.
func (r *rig) flag(f mailparts.Flag, uids ...mailparts.UID) mailparts.ModSeq {
	r.t.Helper()
	var set mailparts.UIDSet
	for _, uid := range uids {
		set.Add(uid, uid)
	}
	at, _, err := r.inbox.SetFlags(r.t.Context(), set, mailparts.FlagChange{Op: mailparts.AddFlags, Flags: []mailparts.Flag{f}})
	if err != nil {
		r.t.Fatal(err)
	}
	return at
}

// RFC 7162 section 3.1.3, examples 3 to 7.
func TestRFC7162ConditionalStore(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n")
	c := r.login()
	c.do("SELECT INBOX (CONDSTORE)")
	before := r.highest()
	late := r.flag(`\Answered`, 2)
	c.play(fmt.Sprintf(`
		C: d105 STORE 3,2,4 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\Deleted)
		S: * 3 FETCH (UID 3 MODSEQ (%d))
		S: * 4 FETCH (UID 4 MODSEQ (%d))
		S: * 2 FETCH (UID 2 FLAGS (\Answered \Recent) MODSEQ (%d))
		S: d105 OK [MODIFIED 2] Some messages ...
		C: a102 STORE 1 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($MDNSent)
		S: a102 OK [MODIFIED 1] Some messages ...
		C: b108 UID STORE 2 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\Deleted)
		S: * 2 FETCH (UID 2 MODSEQ (%d))
		S: b108 OK STORE completed
	`, before, late+1, late+1, late, late, late+2))
}

// RFC 7162 sections 3.1.4 and 3.1.7, examples 9 to 11 and 14.
func TestRFC7162Fetch(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	before := r.highest()
	at := r.flag(`\Seen`, 1, 3)
	c := r.selecting()
	c.play(fmt.Sprintf(`
		C: s99 FETCH 2 (MODSEQ)
		S: * OK [HIGHESTMODSEQ ...
		S: * 2 FETCH (MODSEQ (...
		S: s99 OK FETCH completed
		C: s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE %[1]d)
		S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent) MODSEQ (%[2]d))
		S: * 3 FETCH (UID 3 FLAGS (\Seen \Recent) MODSEQ (%[2]d))
		S: s100 OK FETCH completed
		C: a FETCH 1,3 (MODSEQ)
		S: * 1 FETCH (MODSEQ (%[2]d))
		S: * 3 FETCH (MODSEQ (%[2]d))
		S: a OK FETCH completed
		C: A042 STATUS INBOX (HIGHESTMODSEQ)
		S: * STATUS INBOX (HIGHESTMODSEQ %[2]d)
		S: A042 OK STATUS completed
	`, before, at))
}

// RFC 7162 section 3.1.4.1, example 12: each session is told of the others' changes.
func TestRFC7162Sessions(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n")
	a, d := r.login(), r.login()
	a.do("SELECT INBOX (CONDSTORE)")
	d.do("SELECT INBOX (CONDSTORE)")
	at := r.highest()
	a.play(fmt.Sprintf(`
		C: A160 STORE 1 +FLAGS.SILENT (\Deleted)
		S: * 1 FETCH (UID 1 MODSEQ (%d))
		S: A160 OK STORE completed
	`, at+1))
	d.play(fmt.Sprintf(`
		C: D210 NOOP
		S: * 1 FETCH (UID 1 FLAGS (\Deleted) MODSEQ (%d))
		S: D210 OK NOOP completed
		C: D300 NOOP
		S: D300 OK NOOP completed
	`, at+1))
}

// RFC 7162 sections 3.2.5 to 3.2.7 and 3.2.10, with QRESYNC.
func TestRFC7162Qresync(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n", "5\r\n")
	before := r.highest()
	at := r.flag(`\Seen`, 4)
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 3}}, ""); err != nil {
		t.Fatal(err)
	}
	c := r.login()
	c.play(`
		C: A01 SELECT INBOX (QRESYNC (1 1))
		S: A01 BAD ...
		C: A02 ENABLE QRESYNC
		S: * ENABLED QRESYNC
		S: A02 OK ENABLE completed
	`)
	got := strings.Join(c.do(fmt.Sprintf("SELECT INBOX (QRESYNC (1 %d 1:5))", before)), "\n")
	for _, want := range []string{"\n* VANISHED (EARLIER) 2:3\n", fmt.Sprintf("\n* 2 FETCH (UID 4 FLAGS (\\Seen \\Recent) MODSEQ (%d))\n", at), "\nOK [READ-WRITE] "} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %s", got, want)
		}
	}
	// Example 15: another UIDVALIDITY.
	got = strings.Join(c.do(fmt.Sprintf("SELECT INBOX (QRESYNC (67890007 %d))", before)), "\n")
	if strings.Contains(got, "VANISHED") || strings.Contains(got, "FETCH") || !strings.Contains(got, "* OK [CLOSED]") {
		t.Errorf("got\n%s", got)
	}
	c.play(fmt.Sprintf(`
		C: s100 UID FETCH 1:5 (FLAGS) (CHANGEDSINCE %d VANISHED)
		S: * VANISHED (EARLIER) 2:3
		S: * 2 FETCH (UID 4 FLAGS (\Seen) MODSEQ (%d))
		S: s100 OK FETCH completed
	`, before, at))
	c.do(`STORE 1 +FLAGS.SILENT (\Deleted)`)
	c.play(`
		C: B202 EXPUNGE
		S: * VANISHED 1
		S: B202 OK [HIGHESTMODSEQ ...
	`)
}
