package imap_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// resynced is what SELECT of QRESYNC tells beyond what every SELECT does.
func (c *client) resynced(params string) []string {
	c.t.Helper()
	got := c.do("SELECT INBOX (QRESYNC (" + params + "))")
	if last := got[len(got)-1]; last != "OK [READ-WRITE] SELECT completed" {
		c.t.Fatal(last)
	}
	return slices.DeleteFunc(got[:len(got)-1], func(l string) bool {
		return !strings.HasPrefix(l, "* VANISHED") && !strings.Contains(l, " FETCH ")
	})
}

// RFC 7162 section 3.2.5.1: of the UIDs that the client knows, those that are gone and
// those that have changed, and nothing of the others.
func TestRFC7162Known(t *testing.T) {
	r := start(t, nil)
	for range 12 {
		r.fill("x\r\n")
	}
	before := r.highest()
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 3}, {First: 5, Last: 6}, {First: 11, Last: 11}}, ""); err != nil {
		t.Fatal(err)
	}
	at := r.flag(`\Draft`, 4, 9, 12)
	c := r.login()
	c.do("ENABLE QRESYNC")
	equal(t, c.resynced(fmt.Sprintf("1 %d 3:4,6:10", before)), []string{
		"* VANISHED (EARLIER) 3,6",
		fmt.Sprintf(`* 2 FETCH (UID 4 FLAGS (\Draft \Recent) MODSEQ (%d))`, at),
		fmt.Sprintf(`* 5 FETCH (UID 9 FLAGS (\Draft \Recent) MODSEQ (%d))`, at),
	})
	// RFC 7162 section 3.2.6: VANISHED of UID FETCH is of the set that is asked for.
	c.play(fmt.Sprintf(`
		C: s100 UID FETCH 3:10 (FLAGS) (CHANGEDSINCE %[1]d VANISHED)
		S: * VANISHED (EARLIER) 3,5:6
		S: * 2 FETCH (UID 4 FLAGS (\Draft \Recent) MODSEQ (%[2]d))
		S: * 5 FETCH (UID 9 FLAGS (\Draft \Recent) MODSEQ (%[2]d))
		S: s100 OK FETCH completed
		C: s101 UID SEARCH UID 3:10
		S: * SEARCH 4 7 8 9 10
		S: s101 OK SEARCH completed
	`, before, at))
}

// RFC 7162 section 3.2.5.2: only messages with UIDs divisible by three are left, and the
// client knows it of those up to the last pair that is right.
func TestRFC7162SequenceMatch(t *testing.T) {
	r := start(t, nil)
	for range 30 {
		r.fill("x\r\n")
	}
	before := r.highest()
	var others mailparts.UIDSet
	for uid := mailparts.UID(1); uid <= 30; uid++ {
		if uid%3 != 0 {
			others.Add(uid, uid)
		}
	}
	if err := r.inbox.Expunge(t.Context(), others, ""); err != nil {
		t.Fatal(err)
	}
	at := r.flag(`\Answered`, 30)
	c := r.login()
	c.do("ENABLE QRESYNC")
	changed := `* 10 FETCH (UID 30 FLAGS (\Answered`
	for match, vanished := range map[string]string{
		"":                             "1:2,4:5,7:8,10:11,13:14,16:17,19:20,22:23,25:26,28:29",
		" (5,7,8:10 15,21,24,27,30)":   "",
		" (5,7,8:9 15,21,24,27)":       "28:29",
		" (5,7,8:10 15,21,24,28:29)":   "25:26,28:29", // the fourth pair is wrong
		" (1:10 3,6,9,12,15,18,22:25)": "19:20,22:23,25:26,28:29",
		" (4,12 8,24)":                 "1:2,4:5,7:8,10:11,13:14,16:17,19:20,22:23,25:26,28:29",
	} {
		var want []string
		if vanished != "" {
			want = append(want, "* VANISHED (EARLIER) "+vanished)
		}
		got := c.resynced(fmt.Sprintf("1 %d 1:30%s", before, match))
		if n := len(got) - 1; n < 0 || !strings.HasPrefix(got[n], changed) || !strings.HasSuffix(got[n], fmt.Sprintf(" MODSEQ (%d))", at)) {
			t.Fatalf("%q: %q", match, got)
		}
		equal(t, got[:len(got)-1], want)
	}
}

// RFC 7162 section 3.2.10: with QRESYNC and without, and what goes later.
func TestRFC7162Vanished(t *testing.T) {
	for _, qresync := range []bool{true, false} {
		r := start(t, nil)
		for range 11 {
			r.fill("x\r\n")
		}
		c := r.login()
		if qresync {
			c.do("ENABLE QRESYNC")
		}
		c.do("SELECT INBOX (CONDSTORE)")
		c.do(`STORE 3,4,7,11 +FLAGS.SILENT (\Deleted)`)
		tell, later := []string{"* VANISHED 3:4,7,11"}, []string{"* VANISHED 2,5"}
		if !qresync {
			tell = []string{"* 11 EXPUNGE", "* 7 EXPUNGE", "* 4 EXPUNGE", "* 3 EXPUNGE"}
			later = []string{"* 3 EXPUNGE", "* 2 EXPUNGE"}
		}
		got := c.do("EXPUNGE")
		equal(t, got, append(tell, fmt.Sprintf("OK [HIGHESTMODSEQ %d] EXPUNGE completed", r.highest())))
		c.do(`UID STORE 2,5 +FLAGS.SILENT (\Deleted)`)
		got = c.do("UID EXPUNGE 1:8,3000:3002")
		equal(t, got, append(later, fmt.Sprintf("OK [HIGHESTMODSEQ %d] EXPUNGE completed", r.highest())))
	}
}
