package imap_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// RFC 7162 section 3.1.3, example 9: the flag has not changed, but another has, and the
// client tries again.
func TestRFC7162StoreAgain(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.login()
	c.do("SELECT INBOX (CONDSTORE)")
	before := r.highest()
	r.flag(`\Deleted`, 2)
	late := r.flag(`\Answered`, 2)
	c.play(fmt.Sprintf(`
		C: b107 NOOP
		S: * 2 FETCH (UID 2 FLAGS (\Deleted \Answered \Recent) MODSEQ (%[2]d))
		S: b107 OK NOOP completed
		C: a106 STORE 1:3 (UNCHANGEDSINCE %[1]d) +FLAGS.SILENT ($Processed)
		S: * 1 FETCH (UID 1 MODSEQ (%[3]d))
		S: * 3 FETCH (UID 3 MODSEQ (%[3]d))
		S: a106 OK [MODIFIED 2] ...
		C: b108 STORE 2 (UNCHANGEDSINCE %[2]d) +FLAGS.SILENT ($Processed)
		S: * 2 FETCH (UID 2 MODSEQ (%[4]d))
		S: b108 OK STORE completed
		C: b109 NOOP
		S: b109 OK NOOP completed
	`, before, late, late+1, late+2))
}

// RFC 7162 section 3.1.3, the two before example 10: the server tells by itself why a
// message was left alone, whatever has changed.
func TestRFC7162StoreTellsWhy(t *testing.T) {
	for _, by := range []mailparts.Flag{"$Processed", `\Deleted`} {
		r := start(t, nil)
		r.fill("1\r\n", "2\r\n", "3\r\n")
		c := r.login()
		c.do("SELECT INBOX (CONDSTORE)")
		before := r.highest()
		late := r.flag(by, 2)
		got := c.do(fmt.Sprintf("STORE 1:3 (UNCHANGEDSINCE %d) +FLAGS.SILENT ($Processed)", before))
		got = slices.DeleteFunc(got, func(l string) bool { return strings.HasPrefix(l, "* FLAGS ") })
		equal(t, got, []string{
			fmt.Sprintf("* 1 FETCH (UID 1 MODSEQ (%d))", late+1),
			fmt.Sprintf("* 3 FETCH (UID 3 MODSEQ (%d))", late+1),
			fmt.Sprintf(`* 2 FETCH (UID 2 FLAGS (%s \Recent) MODSEQ (%d))`, by, late),
			"OK [MODIFIED 2] Some messages were changed by others",
		})
	}
}

// RFC 7162 section 3.1.3, example 11: MODIFIED in a NO, for some messages are expunged and
// one has changed.
func TestRFC7162StoreOfExpunged(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n", "5\r\n", "6\r\n", "7\r\n")
	c := r.login()
	c.do("SELECT INBOX (CONDSTORE)")
	before := r.highest()
	r.flag(`\Deleted`, 2)
	late := r.flag(`\Answered`, 2)
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 4, Last: 7}}, ""); err != nil {
		t.Fatal(err)
	}
	at := r.highest() + 1
	c.play(fmt.Sprintf(`
		C: B001 STORE 1:7 (UNCHANGEDSINCE %[1]d) +FLAGS (\SEEN)
		S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent) MODSEQ (%[3]d))
		S: * 3 FETCH (UID 3 FLAGS (\Seen \Recent) MODSEQ (%[3]d))
		S: * 2 FETCH (UID 2 FLAGS (\Deleted \Answered \Recent) MODSEQ (%[2]d))
		S: B001 NO [MODIFIED 2] Some of the messages are no longer there
		C: B002 NOOP
		S: * 7 EXPUNGE
		S: * 6 EXPUNGE
		S: * 5 EXPUNGE
		S: * 4 EXPUNGE
		S: B002 OK NOOP completed
		C: b003 STORE 2 (UNCHANGEDSINCE %[2]d) +FLAGS (\Seen)
		S: * 2 FETCH (UID 2 FLAGS (\Deleted \Answered \Seen \Recent) MODSEQ (%[4]d))
		S: b003 OK STORE completed
		C: e105 STORE 3,1:3 (UNCHANGEDSINCE %[4]d) +FLAGS.SILENT (\Deleted)
		S: * 1 FETCH (UID 1 MODSEQ (%[5]d))
		S: * 3 FETCH (UID 3 MODSEQ (%[5]d))
		S: e105 OK STORE completed
	`, before, late, at, at+1, at+2))
}
