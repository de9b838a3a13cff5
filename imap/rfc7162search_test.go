package imap_test

import (
	"fmt"
	"testing"
)

// RFC 7162 sections 3.1.5, 3.1.6, 3.1.9 and 3.1.10, examples 15, 16, 19 and 20.
func TestRFC7162Search(t *testing.T) {
	r := sortable(t)
	since := r.highest() + 1
	r.flag(`\Draft`, 1, 4)
	most := r.flag(`\Draft`, 2)
	c := r.login()
	c.do("SELECT INBOX")
	c.play(fmt.Sprintf(`
		C: a1 SEARCH MODSEQ "/flags/\\draft" all %[1]d
		S: * OK [HIGHESTMODSEQ %[2]d] ...
		S: * SEARCH 1 2 4 (MODSEQ %[2]d)
		S: a1 OK SEARCH completed
		C: t SEARCH OR NOT MODSEQ 1 LARGER 50000
		S: * SEARCH
		S: t OK SEARCH completed
		C: a2 SEARCH RETURN (ALL) MODSEQ %[1]d
		S: * ESEARCH (TAG "a2") ALL 1:2,4 MODSEQ %[2]d
		S: a2 OK SEARCH completed
		C: a3 SORT (ARRIVAL) UTF-8 MODSEQ %[1]d
		S: * SORT 4 2 1 (MODSEQ %[2]d)
		S: a3 OK SORT completed
		C: a4 SORT RETURN (ALL) (ARRIVAL) UTF-8 MODSEQ %[1]d
		S: * ESEARCH (TAG "a4") ALL 4,2,1 MODSEQ %[2]d
		S: a4 OK SORT completed
		C: a5 SORT (ARRIVAL) UTF-8 MODSEQ 720162338
		S: * SORT
		S: a5 OK SORT completed
		C: a6 SORT RETURN (ALL) (ARRIVAL) UTF-8 MODSEQ 720162338
		S: * ESEARCH (TAG "a6")
		S: a6 OK SORT completed
		C: a7 THREAD ORDEREDSUBJECT UTF-8 MODSEQ %[1]d
		S: * THREAD ...
		S: a7 OK THREAD completed
		C: a8 UID SEARCH RETURN (COUNT) MODSEQ %[2]d
		S: * ESEARCH (TAG "a8") UID COUNT 1 MODSEQ %[2]d
		S: a8 OK SEARCH completed
	`, since, most))
}
