package imap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// A set costs its ranges, and in every command it ends at what is there: here the first
// UID is 2.
func TestSetsOfAllNumbers(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 1, Last: 1}}, ""); err != nil {
		t.Fatal(err)
	}
	r.selecting().play(`
		C: a1 SEARCH 1:4294967295
		S: * SEARCH 1 2
		S: a1 OK SEARCH completed
		C: a2 SEARCH 2:4294967295 UID 4294967295,1:*
		S: * SEARCH 2
		S: a2 OK SEARCH completed
		C: a3 UID SEARCH UID 4294967295:*
		S: * SEARCH 3
		S: a3 OK SEARCH completed
		C: a4 FETCH 1:4294967295 FLAGS
		S: a4 BAD No such message
		C: a5 UID FETCH 1:4294967295 UID
		S: * 1 FETCH (UID 2)
		S: * 2 FETCH (UID 3)
		S: a5 OK FETCH completed
		C: a6 UID FETCH 4294967295 UID
		S: a6 OK FETCH completed
		C: a7 UID COPY 4294967295 INBOX
		S: a7 OK COPY completed
		C: a8 UID STORE 4294967294:4294967295 +FLAGS (\Seen)
		S: a8 OK STORE completed
		C: a9 FETCH 4294967296 UID
		S: a9 BAD Number too large
		C: b1 FETCH 0 UID
		S: b1 BAD Expected a number above 0
	`)
}

// In an empty mailbox "*" is no message (RFC 9051 section 9, seq-number).
func TestSetsInEmptyMailbox(t *testing.T) {
	start(t, nil).selecting().play(`
		C: a1 FETCH * FLAGS
		S: a1 BAD No such message
		C: a2 FETCH 1:* FLAGS
		S: a2 BAD No such message
		C: a3 UID FETCH 1:* FLAGS
		S: a3 OK FETCH completed
		C: a4 UID FETCH * FLAGS
		S: a4 OK FETCH completed
		C: a5 SEARCH *
		S: * SEARCH
		S: a5 OK SEARCH completed
		C: a6 SEARCH 1:4294967295
		S: * SEARCH
		S: a6 OK SEARCH completed
		C: a7 UID STORE 1:* FLAGS.SILENT ()
		S: a7 OK STORE completed
		C: a8 UID EXPUNGE 1:4294967295
		S: a8 OK EXPUNGE completed
		C: a9 EXPUNGE
		S: a9 OK EXPUNGE completed
	`)
}

func TestSetOfTooManyRanges(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n")
	c := r.selecting()
	many := strings.TrimSuffix(strings.Repeat("1,", 10001), ",")
	equal(t, c.do("UID SEARCH UID "+many), []string{"BAD Set of too many ranges"})
	equal(t, c.do("UID FETCH "+many[2:]+" UID"), []string{"* 1 FETCH (UID 1)", "OK FETCH completed"})
}

// What one FETCH holds of a message is bounded, however often it asks for the same part.
func TestFetchHoldsLittle(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: x\r\n\r\n"+strings.Repeat("y", 30<<20), "X: "+strings.Repeat("z", 1<<20)+"\r\n\r\n")
	c := r.selecting()
	equal(t, c.do("FETCH 1 (BINARY.PEEK[1]<0.1> BINARY.PEEK[1]<1.1> BINARY.PEEK[1]<2.1>)"), []string{"* 1 FETCH (BINARY[1]<0> {1}\r\ny BINARY[1]<1> {1}\r\ny BINARY[1]<2> {1}\r\ny)", "OK FETCH completed"})
	item := "BODY%s[HEADER.FIELDS.NOT (y)]<%s>%s"
	got := c.do("FETCH 2 (" + fmt.Sprintf(item, ".PEEK", "0.1", "") + strings.Repeat(" "+fmt.Sprintf(item, ".PEEK", "0.1", ""), 100) + ")")
	want := fmt.Sprintf(item, "", "0", " {1}\r\nX")
	equal(t, got, []string{"* 2 FETCH (" + want + strings.Repeat(" "+want, 100) + ")", "OK FETCH completed"})
}

// The header of a message within a message is not cut.
func TestLongInnerHeader(t *testing.T) {
	r := start(t, nil)
	r.fill("Content-Type: message/rfc822\r\n\r\n" + strings.Repeat("X: "+strings.Repeat("z", 70)+"\r\n", 20000) + "Subject: last\r\n\r\n")
	equal(t, r.selecting().do("FETCH 1 BODY.PEEK[1.HEADER.FIELDS (SUBJECT)]"), []string{"* 1 FETCH (BODY[1.HEADER.FIELDS (SUBJECT)] {17}\r\nSubject: last\r\n\r\n)", "OK FETCH completed"})
}
