package imap_test

import (
	"fmt"
	"testing"

	"github.com/mailparts/mailparts"
)

// RFC 9394 section 3.1: the examples, pipelined as they are there, of 23,764 messages that
// are 64 here.
func TestRFC9394Search(t *testing.T) {
	r := searchable(t, 64)
	r.selecting().play(`
		C: A01 UID SEARCH RETURN (PARTIAL -1:-10) UNDELETED UNKEYWORD $Junk
		S: * ESEARCH (TAG "A01") UID PARTIAL (-1:-10 55:64)
		S: A01 OK SEARCH completed
		C: A02 UID SEARCH RETURN (PARTIAL 50:100) UNDELETED UNKEYWORD $Junk
		C: A03 UID SEARCH RETURN (PARTIAL 1:50) UNDELETED UNKEYWORD $Junk
		C: A04 UID SEARCH RETURN (PARTIAL 100:150) UNDELETED UNKEYWORD $Junk
		S: * ESEARCH (TAG "A02") UID PARTIAL (50:100 50:64)
		S: A02 OK SEARCH completed
		S: * ESEARCH (TAG "A03") UID PARTIAL (1:50 1:50)
		S: A03 OK SEARCH completed
		S: * ESEARCH (TAG "A04") UID PARTIAL (100:150 NIL)
		S: A04 OK SEARCH completed
	`)
}

// RFC 9394 section 3.2, table 1.
func TestRFC9394Save(t *testing.T) {
	r := searchable(t, 9, 2, 4, 6, 8)
	c := r.selecting()
	for options, want := range map[string]string{
		"SAVE PARTIAL 2:3":               "4,6",
		"SAVE PARTIAL 2:3 MIN":           "2,4,6",
		"SAVE PARTIAL 2:3 MAX":           "4,6,8",
		"SAVE PARTIAL -1:-1 MIN MAX":     "2,8",
		"SAVE PARTIAL 2:3 COUNT":         "2,4,6,8",
		"SAVE PARTIAL 2:3 COUNT MIN MAX": "2,4,6,8",
	} {
		c.do("SEARCH RETURN (" + options + ") FLAGGED")
		got := c.do("UID SEARCH RETURN (ALL) $")[0]
		if want := fmt.Sprintf(`* ESEARCH (TAG "t%d") UID ALL %s`, c.n, want); got != want {
			t.Errorf("%s: %s, want %s", options, got, want)
		}
	}
}

// RFC 9394 sections 3.3 and 3.4: PARTIAL selects first, and CHANGEDSINCE of that.
func TestRFC9394Fetch(t *testing.T) {
	r := start(t, nil)
	for range 8 {
		r.fill("x\r\n")
	}
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 3, Last: 3}}, ""); err != nil {
		t.Fatal(err)
	}
	before := r.highest()
	first := r.flag(`\Answered`, 2, 7)
	last := r.flag(`\Seen`, 8)
	c := r.selecting()
	c.play(`
		C: 10 UID FETCH 2:8 (UID FLAGS) (PARTIAL -1:-3)
		S: * 5 FETCH (UID 6 FLAGS (\Recent))
		S: * 6 FETCH (UID 7 FLAGS (\Answered \Recent))
		S: * 7 FETCH (UID 8 FLAGS (\Seen \Recent))
		S: 10 OK FETCH completed
		C: 11 UID FETCH 2:8 (UID FLAGS) (PARTIAL 1:2)
		S: * 2 FETCH (UID 2 FLAGS (\Answered \Recent))
		S: * 3 FETCH (UID 4 FLAGS (\Recent))
		S: 11 OK FETCH completed
		C: 12 UID FETCH 2:8 (UID) (PARTIAL 7:9)
		S: 12 OK FETCH completed
		C: 13 FETCH 2:7 (UID) (PARTIAL 1:2)
		S: 13 BAD PARTIAL is for UID FETCH
	`)
	c.do("FETCH 1 MODSEQ")
	for _, modifiers := range []string{"PARTIAL -1:-3 CHANGEDSINCE %d", "CHANGEDSINCE %d PARTIAL -1:-3"} {
		c.play(fmt.Sprintf(`
			C: 101 UID FETCH 2:8 (UID FLAGS) (%s)
			S: * 6 FETCH (UID 7 FLAGS (\Answered \Recent) MODSEQ (%d))
			S: * 7 FETCH (UID 8 FLAGS (\Seen \Recent) MODSEQ (%d))
			S: 101 OK FETCH completed
		`, fmt.Sprintf(modifiers, before), first, last))
	}
}
