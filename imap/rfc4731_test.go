package imap_test

import (
	"fmt"
	"testing"

	"github.com/mailparts/mailparts"
)

// RFC 4731 section 3.1.
func TestRFC4731(t *testing.T) {
	r := searchable(t, 40, 2, 33, 34, 36)
	r.flag(mailparts.FlagSeen, 1, 2, 3)
	r.flag(mailparts.FlagDeleted, 7, 8, 9)
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 1, Last: 1}}, ""); err != nil {
		t.Fatal(err)
	}
	r.selecting().play(`
		C: A282 SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
		S: * ESEARCH (TAG "A282") MIN 32 COUNT 3
		S: A282 OK SEARCH completed
		C: A283 SEARCH RETURN () FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
		S: * ESEARCH (TAG "A283") ALL 32:33,35
		S: A283 OK SEARCH completed
		C: A284 SEARCH RETURN (MIN) UNSEEN
		S: * ESEARCH (TAG "A284") MIN 3
		S: A284 OK SEARCH completed
		C: A285 UID SEARCH RETURN (MIN MAX) 1:20
		S: * ESEARCH (TAG "A285") UID MIN 2 MAX 21
		S: A285 OK SEARCH completed
		C: A286 SEARCH RETURN (COUNT) DELETED
		S: * ESEARCH (TAG "A286") COUNT 3
		S: A286 OK SEARCH completed
	`)
}

// RFC 4731 section 3.2: whose mod-sequence is told.
func TestRFC4731ModSeq(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n")
	since := r.highest() + 1
	last := r.flag(`\Draft`, 4)
	first := r.flag(`\Draft`, 2)
	most := r.flag(`\Draft`, 3)
	c := r.login()
	c.do("SELECT INBOX (CONDSTORE)")
	c.play(fmt.Sprintf(`
		C: a1 SEARCH RETURN (MIN) MODSEQ "/flags/\\draft" all %[1]d
		S: * ESEARCH (TAG "a1") MIN 2 MODSEQ %[2]d
		S: a1 OK SEARCH completed
		C: a2 SEARCH RETURN (MAX) MODSEQ "/flags/\\draft" all %[1]d
		S: * ESEARCH (TAG "a2") MAX 4 MODSEQ %[3]d
		S: a2 OK SEARCH completed
		C: a3 SEARCH RETURN (MIN MAX) MODSEQ "/flags/\\draft" all %[1]d
		S: * ESEARCH (TAG "a3") MIN 2 MAX 4 MODSEQ %[2]d
		S: a3 OK SEARCH completed
		C: a4 SEARCH RETURN (MIN COUNT) MODSEQ "/flags/\\draft" all %[1]d
		S: * ESEARCH (TAG "a4") MIN 2 COUNT 3 MODSEQ %[4]d
		S: a4 OK SEARCH completed
	`, since, first, last, most))
}
