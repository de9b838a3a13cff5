package imap_test

import (
	"strings"
	"testing"
	"time"
)

// sortable is a mailbox for SORT.
func sortable(t *testing.T) *rig {
	r := start(t, nil)
	day := func(n int) time.Time { return time.Date(2000, 1, n, 0, 0, 0, 0, time.UTC) }
	for i, m := range []string{
		"From: \"Zoe\" <bob@example.com>\nTo: \"beth\" <x@example.com>\nSubject: Re: [list] beta\nDate: Mon, 7 Feb 1994 21:52:25 -0800\n\n123",
		"From: alice@example.com\nTo: carl@example.com\nCc: y@example.com\nSubject: alpha (fwd)\nDate: Tue, 8 Feb 1994 05:00:00 +0000\n\n1",
		"From: =?utf-8?q?=C3=A4nne?= <Carol@example.com>\nSubject: Gamma\n\n12345",
		"From: BOB@example.org\nCc: X@example.com\nSubject: BETA\nDate: Mon, 7 Feb 1994 21:52:25 -0800\n\n12",
	} {
		r.put(day(4-i), strings.ReplaceAll(m, "\n", "\r\n"))
	}
	return r
}

// RFC 5256 section 3, RFC 5957, RFC 5267 section 3.3.
func TestSort(t *testing.T) {
	sortable(t).selecting().play(`
		C: A282 SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994
		S: * SORT 2 1 4 3
		S: A282 OK SORT completed
		C: A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL
		S: * SORT 2 1 4 3
		S: A283 OK SORT completed
		C: A284 SORT (SUBJECT) US-ASCII TEXT "not in mailbox"
		S: * SORT
		S: A284 OK SORT completed
		C: a1 SORT (DATE) UTF-8 ALL
		S: * SORT 2 1 4 3
		S: a1 OK SORT completed
		C: a2 UID SORT (REVERSE DATE) UTF-8 NOT 2
		S: * SORT 3 1 4
		S: a2 OK SORT completed
		C: a3 SORT (ARRIVAL) UTF-8 ALL
		S: * SORT 4 3 2 1
		S: a3 OK SORT completed
		C: a4 SORT (FROM) UTF-8 ALL
		S: * SORT 2 1 4 3
		S: a4 OK SORT completed
		C: a5 SORT (REVERSE FROM SIZE) UTF-8 ALL
		S: * SORT 3 4 1 2
		S: a5 OK SORT completed
		C: a6 SORT (CC TO) UTF-8 ALL
		S: * SORT 3 1 4 2
		S: a6 OK SORT completed
		C: a7 SORT (DISPLAYFROM) UTF-8 ALL
		S: * SORT 2 3 4 1
		S: a7 OK SORT completed
		C: a8 SORT (DISPLAYTO) UTF-8 1:2
		S: * SORT 1 2
		S: a8 OK SORT completed
		C: E01 UID SORT RETURN () (REVERSE ARRIVAL) UTF-8 UNDELETED UNKEYWORD $Junk
		S: * ESEARCH (TAG "E01") UID ALL 1:4
		S: E01 OK SORT completed
		C: E02 SORT RETURN (MIN MAX COUNT ALL) (ARRIVAL) UTF-8 ALL
		S: * ESEARCH (TAG "E02") MIN 4 MAX 1 ALL 4,3,2,1 COUNT 4
		S: E02 OK SORT completed
		C: E03 SORT RETURN (PARTIAL -1:-3) (SUBJECT) UTF-8 ALL
		S: * ESEARCH (TAG "E03") PARTIAL (-1:-3 1,4,3)
		S: E03 OK SORT completed
		C: E04 SORT RETURN (PARTIAL 5:6) (SUBJECT) UTF-8 ALL
		S: * ESEARCH (TAG "E04") PARTIAL (5:6 NIL)
		S: E04 OK SORT completed
		C: b1 SORT () UTF-8 ALL
		S: b1 BAD Expected a sort key
		C: b2 SORT (REVERSE) UTF-8 ALL
		S: b2 BAD ...
		C: b3 SORT (COLOR) UTF-8 ALL
		S: b3 BAD Unknown sort key
		C: b4 SORT (DATE) X-NONE ALL
		S: b4 NO [BADCHARSET (UTF-8 US-ASCII ISO-8859-1)] Unknown charset
		C: b5 SORT (DATE) ALL
		S: b5 BAD ...
		C: b6 SORT RETURN (SAVE) (DATE) UTF-8 ALL
		S: b6 BAD SAVE is for SEARCH
	`)
}

// RFC 5256 sections 3 and 4.
func TestThread(t *testing.T) {
	r := start(t, nil)
	for i, m := range []string{
		"Subject: lunch\nMessage-ID: <1@x>\n",
		"Subject: Re: lunch\nMessage-ID: <2@x>\nReferences: <1@x>\n",
		"Subject: dinner\nMessage-ID: <3@x>\n",
		"Subject: Re: lunch\nMessage-ID: <4@x>\nIn-Reply-To: <2@x>\n",
		"Subject: re: lunch\nMessage-ID: <\"5\"@x>\nReferences: <1@x> <2@x>\n",
		"Subject: tea\nReferences: <gone@x>\n",
		"Subject: tea\nReferences: <gone@x>\n",
	} {
		r.put(time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC), strings.ReplaceAll(m, "\n", "\r\n")+"\r\n")
	}
	c := r.selecting()
	c.play(`
		C: A283 THREAD ORDEREDSUBJECT UTF-8 SINCE 1-Jan-2000
		S: * THREAD (1 (2)(4)(5))(3)(6 7)
		S: A283 OK THREAD completed
		C: A284 THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"
		S: * THREAD
		S: A284 OK THREAD completed
		C: A285 THREAD REFERENCES UTF-8 SINCE 1-Jan-2000
		S: * THREAD (1 2 (4)(5))(3)((6)(7))
		S: A285 OK THREAD completed
		C: a1 STORE 1,3 +FLAGS.SILENT \Deleted
		S: a1 OK STORE completed
		C: a2 EXPUNGE
		S: * 3 EXPUNGE
		S: * 1 EXPUNGE
		S: a2 OK EXPUNGE completed
		C: a3 UID THREAD REFERENCES UTF-8 ALL
		S: * THREAD (2 (4)(5))((6)(7))
		S: a3 OK THREAD completed
		C: a4 THREAD REFERENCES UTF-8 ALL
		S: * THREAD (1 (2)(3))((4)(5))
		S: a4 OK THREAD completed
		C: a5 THREAD GUESS UTF-8 ALL
		S: a5 BAD Unknown threading algorithm
	`)
}
