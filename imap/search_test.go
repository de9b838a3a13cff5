package imap_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// put appends a message to INBOX.
func (r *rig) put(received time.Time, text string, flags ...mailparts.Flag) {
	r.t.Helper()
	in := mailparts.Incoming{Body: strings.NewReader(text), Received: received, Flags: flags}
	if _, err := mailparts.Append(r.t.Context(), r.inbox, in); err != nil {
		r.t.Fatal(err)
	}
}

// searchable is a mailbox of n messages, of which those in flagged are flagged and from
// Fred, and every fifth is of Smith's. Message i is received on day i of 1994 at noon.
func searchable(t *testing.T, n int, flagged ...int) *rig {
	r := start(t, nil)
	at := map[int]bool{}
	for _, i := range flagged {
		at[i] = true
	}
	for i := 1; i <= n; i++ {
		var flags []mailparts.Flag
		from := "Fred Foobar <fred@example.com>"
		if at[i] {
			flags = append(flags, mailparts.FlagFlagged)
		} else if i%5 == 0 {
			from = "John Smith <john@example.com>"
		}
		received := time.Date(1994, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, i-1)
		r.put(received, fmt.Sprintf("From: %s\r\nSubject: message %d\r\n\r\nbody %d\r\n", from, i, i), flags...)
	}
	return r
}

// RFC 3501 section 6.4.4 and RFC 9051 section 6.4.4.
func TestSearch(t *testing.T) {
	r := searchable(t, 100, 2, 40, 84)
	r.selecting().play(`
		C: A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
		S: * SEARCH 40 84
		S: A282 OK SEARCH completed
		C: A283 SEARCH TEXT "string not in mailbox"
		S: * SEARCH
		S: A283 OK SEARCH completed
		C: A284 SEARCH CHARSET UTF-8 TEXT {6+}
		FOOBAR 2,3
		S: * SEARCH 2 3
		S: A284 OK SEARCH completed
		C: A285 SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
		S: * ESEARCH (TAG "A285") MIN 40 COUNT 2
		S: A285 OK SEARCH completed
		C: A286 UID SEARCH RETURN () FLAGGED
		S: * ESEARCH (TAG "A286") UID ALL 2,40,84
		S: A286 OK SEARCH completed
		C: A287 SEARCH OR 1 (OR (2 3) OR NOT 4:* 5)
		S: * SEARCH 1 2 3 5
		S: A287 OK SEARCH completed
		C: A288 SEARCH NOT NOT (BODY "body 7" NOT BODY "body 70") NOT 71:79
		S: * SEARCH 7
		S: A288 OK SEARCH completed
		C: A289 SEARCH ON 03-Jan-1994 BEFORE "4-jan-1994"
		S: * SEARCH 3
		S: A289 OK SEARCH completed
		C: A290 SEARCH RETURN (ALL) UNFLAGGED LARGER 1000
		S: * ESEARCH (TAG "A290")
		S: A290 OK SEARCH completed
		C: A291 SEARCH
		S: A291 BAD Missing argument
		C: A292 SEARCH NOT
		S: A292 BAD Missing argument
		C: A293 SEARCH ()
		S: A293 BAD Expected a search key
		C: A294 SEARCH FROB
		S: A294 BAD Unknown search key
		C: A295 SEARCH RETURN (SOME) ALL
		S: A295 BAD Unknown return option
		C: A296 SEARCH ALL)
		S: A296 BAD ...
		C: A297 SEARCH 1:4294967295 2:*
		S: * SEARCH ...
		S: A297 OK SEARCH completed
	`)
}

// After ENABLE IMAP4rev2 every SEARCH is answered by ESEARCH (RFC 9051 section 6.4.4).
func TestSearchRev2(t *testing.T) {
	r := searchable(t, 10, 2, 8)
	c := r.login()
	c.do("ENABLE IMAP4rev2")
	c.do("SELECT INBOX")
	c.play(`
		C: a2 SEARCH FLAGGED
		S: * ESEARCH (TAG "a2") ALL 2,8
		S: a2 OK SEARCH completed
		C: a3 UID SEARCH RETURN (MAX) ALL
		S: * ESEARCH (TAG "a3") UID MAX 10
		S: a3 OK SEARCH completed
	`)
}

// RFC 4731 sections 3.1 and 3.2.
func TestESearch(t *testing.T) {
	r := searchable(t, 50, 2, 10, 11, 28)
	c := r.selecting()
	c.play(`
		C: A282 SEARCH RETURN (MIN MAX ALL COUNT) FLAGGED
		S: * ESEARCH (TAG "A282") MIN 2 MAX 28 ALL 2,10:11,28 COUNT 4
		S: A282 OK SEARCH completed
		C: A283 SEARCH RETURN (COUNT MIN) DELETED
		S: * ESEARCH (TAG "A283") COUNT 0
		S: A283 OK SEARCH completed
		C: a1 STORE 10 +FLAGS.SILENT (\Flagged \Answered)
		S: a1 OK STORE completed
		C: A284 SEARCH RETURN (MIN) MODSEQ 1 FLAGGED
		S: * OK [HIGHESTMODSEQ 52] ...
		S: * ESEARCH (TAG "A284") MIN 2 MODSEQ 3
		S: A284 OK SEARCH completed
		C: A285 SEARCH RETURN (MAX) FLAGGED MODSEQ "/flags/\\draft" all 1
		S: * ESEARCH (TAG "A285") MAX 28 MODSEQ 29
		S: A285 OK SEARCH completed
		C: A286 SEARCH RETURN (MIN MAX) FLAGGED MODSEQ 1
		S: * ESEARCH (TAG "A286") MIN 2 MAX 28 MODSEQ 29
		S: A286 OK SEARCH completed
		C: A287 SEARCH RETURN (MIN ALL) FLAGGED MODSEQ 1
		S: * ESEARCH (TAG "A287") MIN 2 ALL 2,10:11,28 MODSEQ 52
		S: A287 OK SEARCH completed
		C: A288 SEARCH MODSEQ 50
		S: * SEARCH 10 49 50 (MODSEQ 52)
		S: A288 OK SEARCH completed
		C: A289 SEARCH MODSEQ 620162338
		S: * SEARCH
		S: A289 OK SEARCH completed
	`)
}

// RFC 9394 section 3.1.
func TestSearchPartial(t *testing.T) {
	r := searchable(t, 30)
	r.selecting().play(`
		C: A01 UID SEARCH RETURN (PARTIAL -1:-10) UNDELETED UNKEYWORD $Junk
		S: * ESEARCH (TAG "A01") UID PARTIAL (-1:-10 21:30)
		S: A01 OK SEARCH completed
		C: A02 UID SEARCH RETURN (PARTIAL 24:35) UNDELETED UNKEYWORD $Junk
		S: * ESEARCH (TAG "A02") UID PARTIAL (24:35 24:30)
		S: A02 OK SEARCH completed
		C: A03 UID SEARCH RETURN (PARTIAL 1:5 COUNT) NOT 2
		S: * ESEARCH (TAG "A03") UID PARTIAL (1:5 1,3:6) COUNT 29
		S: A03 OK SEARCH completed
		C: A04 UID SEARCH RETURN (PARTIAL 40:50) UNDELETED
		S: * ESEARCH (TAG "A04") UID PARTIAL (40:50 NIL)
		S: A04 OK SEARCH completed
		C: A05 UID SEARCH RETURN (PARTIAL -40:-50) UNDELETED
		S: * ESEARCH (TAG "A05") UID PARTIAL (-40:-50 NIL)
		S: A05 OK SEARCH completed
		C: A06 SEARCH RETURN (ALL PARTIAL 1:2) ALL
		S: A06 BAD Only one of ALL and PARTIAL is possible
		C: A07 SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL
		S: A07 BAD Only one of ALL and PARTIAL is possible
		C: A08 SEARCH RETURN (PARTIAL 0:2) ALL
		S: A08 BAD ...
		C: A09 SEARCH RETURN (PARTIAL 1:-2) ALL
		S: A09 BAD ...
	`)
}

// RFC 5182 sections 2.1, 2.2 and 2.4, RFC 9394 section 3.2.
func TestSearchRes(t *testing.T) {
	r := searchable(t, 30, 2, 10, 11, 12, 13, 14, 15, 21)
	c := r.selecting()
	c.play(`
		C: A001 FETCH $ UID
		S: A001 OK FETCH completed
		C: C282 SEARCH RETURN (ALL) FLAGGED
		S: * ESEARCH (TAG "C282") ALL 2,10:15,21
		S: C282 OK SEARCH completed
		C: A002 FETCH $ UID
		S: A002 OK FETCH completed
		C: C283 SEARCH RETURN (ALL SAVE) FLAGGED
		S: * ESEARCH (TAG "C283") ALL 2,10:15,21
		S: C283 OK SEARCH completed
		C: A003 SEARCH $
		S: * SEARCH 2 10 11 12 13 14 15 21
		S: A003 OK SEARCH completed
		C: C284 SEARCH RETURN (SAVE MIN) FLAGGED
		S: * ESEARCH (TAG "C284") MIN 2
		S: C284 OK SEARCH completed
		C: A004 FETCH $ UID
		S: * 2 FETCH (UID 2)
		S: A004 OK FETCH completed
		C: C285 SEARCH RETURN (MAX SAVE MIN) FLAGGED
		S: * ESEARCH (TAG "C285") MIN 2 MAX 21
		S: C285 OK SEARCH completed
		C: A005 UID SEARCH UID $
		S: * SEARCH 2 21
		S: A005 OK SEARCH completed
		C: C286 SEARCH RETURN (MAX SAVE MIN COUNT) FLAGGED
		S: * ESEARCH (TAG "C286") MIN 2 MAX 21 COUNT 8
		S: C286 OK SEARCH completed
		C: A006 SEARCH $ NOT 10:14
		S: * SEARCH 2 15 21
		S: A006 OK SEARCH completed
		C: C287 SEARCH RETURN (SAVE PARTIAL 2:3 MAX) FLAGGED
		S: * ESEARCH (TAG "C287") MAX 21 PARTIAL (2:3 10:11)
		S: C287 OK SEARCH completed
		C: A007 SEARCH (OR $ 1) 1:20
		S: * SEARCH 1 10 11
		S: A007 OK SEARCH completed
		C: C288 SEARCH RETURN (SAVE) FLAGGED
		S: C288 OK SEARCH completed
		C: A008 STORE 10:11 +FLAGS.SILENT \Deleted
		S: A008 OK STORE completed
		C: A009 EXPUNGE
		S: * 11 EXPUNGE
		S: * 10 EXPUNGE
		S: A009 OK EXPUNGE completed
		C: A010 SEARCH $
		S: * SEARCH 2 10 11 12 13 19
		S: A010 OK SEARCH completed
		C: A011 SEARCH RETURN (SAVE) FROB
		S: A011 BAD Unknown search key
		C: A012 SEARCH RETURN (COUNT) $
		S: * ESEARCH (TAG "A012") COUNT 6
		S: A012 OK SEARCH completed
		C: B283 SEARCH RETURN (SAVE) CHARSET KLINGON (OR $ 1,3000:3021) TEXT {4+}
		XXXX
		S: B283 NO [BADCHARSET (UTF-8 US-ASCII ISO-8859-1)] Unknown charset
		C: A013 FETCH $ UID
		S: A013 OK FETCH completed
		C: E283 COPY $ "Other Messages"
		S: E283 ...
	`)
}

// RFC 5032 section 4.
func TestSearchWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil)
		now := time.Now()
		for _, age := range []int{300000, 259201, 259200, 259199, 0} {
			r.put(now.Add(-time.Duration(age)*time.Second), "Subject: x\r\n\r\n")
		}
		r.selecting().play(`
			C: a1 SEARCH UNSEEN YOUNGER 259200
			S: * SEARCH 3 4 5
			S: a1 OK SEARCH completed
			C: a2 SEARCH OLDER 259200
			S: * SEARCH 1 2 3
			S: a2 OK SEARCH completed
			C: a3 SEARCH OLDER 0
			S: a3 BAD Expected a number above 0
		`)
		r.Close()
	})
}

// RFC 8514 section 4.3, RFC 8474 section 6.
func TestSearchSavedAndIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil) // in 2000
		r.put(time.Date(1994, 1, 1, 0, 0, 0, 0, time.UTC), "Subject: x\r\n\r\n")
		r.put(time.Time{}, "Subject: y\r\n\r\n")
		r.selecting().play(`
			C: A102 SEARCH SAVEDON 1-Jan-2000
			S: * SEARCH 1 2
			S: A102 OK SEARCH completed
			C: A103 SEARCH SAVEDSINCE 2-Jan-2000
			S: * SEARCH
			S: A103 OK SEARCH completed
			C: A104 SEARCH SAVEDATESUPPORTED SAVEDBEFORE 2-Jan-2000 BEFORE 1-Jan-2000
			S: * SEARCH 1
			S: A104 OK SEARCH completed
			C: A105 FETCH 2 EMAILID
			S: * 2 FETCH (EMAILID (M3))
			S: A105 OK FETCH completed
			C: A106 SEARCH EMAILID M3
			S: * SEARCH 2
			S: A106 OK SEARCH completed
			C: A107 SEARCH OR EMAILID M9 THREADID T1
			S: * SEARCH
			S: A107 OK SEARCH completed
		`)
		r.Close()
	})
}

// Text is found whatever it is encoded in, on both sides.
func TestSearchCharsets(t *testing.T) {
	r := start(t, nil)
	r.fill(
		"From: =?iso-8859-1?q?J=FCrgen?= <j@example.com>\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\n"+
			"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nStra=DFe und so wei=\r\nter\r\n",
		"From: \"O'Brien, Pat\" (work) <pat@example.com>\r\nTo: a group: x@example.com, y@example.com;\r\nMessage-ID: <1@x>\r\nX-Two: one\r\nX-Two: two\r\n"+
			"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-16be\r\nContent-Transfer-Encoding: base64\r\nContent-Description: sketch\r\n\r\nBBAEEQQS\r\n"+
			"--b\r\nContent-Type: application/octet-stream\r\n\r\nhidden\r\n--b--\r\n",
	)
	c := r.selecting()
	c.play("C: a1 SEARCH CHARSET ISO-8859-1 SUBJECT {5+}\ngr\xfc\xdfe" + `
		S: * SEARCH 1
		S: a1 OK SEARCH completed
		C: a2 SEARCH FROM "jürgen <J@"
		S: * SEARCH 1
		S: a2 OK SEARCH completed
		C: a3 SEARCH BODY "STRAßE UND SO WEITER"
		S: * SEARCH 1
		S: a3 OK SEARCH completed
		C: a4 SEARCH TEXT "subject: grüße"
		S: * SEARCH 1
		S: a4 OK SEARCH completed
		C: a5 SEARCH BODY аб
		S: a5 BAD ...
		C: a6 SEARCH BODY "абв"
		S: * SEARCH 2
		S: a6 OK SEARCH completed
		C: a7 SEARCH BODY hidden
		S: * SEARCH
		S: a7 OK SEARCH completed
		C: a8 SEARCH TEXT sketch NOT BODY sketch
		S: * SEARCH 2
		S: a8 OK SEARCH completed
		C: a9 SEARCH FROM "O'Brien, Pat <pat@example" TO "group: x@"
		S: * SEARCH 2
		S: a9 OK SEARCH completed
		C: b1 SEARCH HEADER X-Two two HEADER Message-Id 1@x NOT HEADER X-Three ""
		S: * SEARCH 2
		S: b1 OK SEARCH completed
		C: b2 SEARCH CHARSET US-ASCII TEXT {2+}
		` + "\xc3\xa4" + `
		S: b2 BAD Strings are not in their charset
		C: b3 SEARCH CHARSET x-nobody TEXT a
		S: b3 NO [BADCHARSET (UTF-8 US-ASCII ISO-8859-1)] Unknown charset
		C: b4 SEARCH BODY "" TEXT ""
		S: * SEARCH 1 2
		S: b4 OK SEARCH completed
	`)
	c = r.login()
	c.do("ENABLE UTF8=ACCEPT")
	c.do("SELECT INBOX")
	c.play(`
		C: b6 SEARCH CHARSET UTF-8 ALL
		S: b6 BAD No charset may be named after ENABLE UTF8=ACCEPT
	`)
}

// Searches that would cost too much are refused.
func TestSearchLimits(t *testing.T) {
	r := searchable(t, 3)
	c := r.selecting()
	deep := strings.Repeat("(", 60) + "ALL" + strings.Repeat(")", 60)
	for command, want := range map[string]string{
		"SEARCH " + deep: "BAD Too deeply nested",
		"SEARCH " + strings.Repeat("OR ", 60) + "1":           "BAD Too deeply nested",
		"SEARCH " + strings.Repeat("ALL ", 2000) + "ALL":      "NO [LIMIT] Too many search keys",
		"SEARCH " + strings.Repeat("BODY x ", 100) + "BODY x": "NO [LIMIT] Too many search keys",
		"SEARCH " + strings.Repeat("NOT ", 1001) + "1":        "OK SEARCH completed",
		"SEARCH " + strings.Repeat("OR 1 ", 500) + "2":        "OK SEARCH completed",
		"SEARCH " + strings.Repeat("OR 1 ", 2000) + "2":       "NO [LIMIT] Too many search keys",
	} {
		if got := c.do(command); got[len(got)-1] != want {
			t.Errorf("%.40s... is answered by %q, want %q", command, got, want)
		}
	}
}

// What others have expunged is left out, and not told of by SEARCH (RFC 9051 section
// 7.5.1), but by UID SEARCH.
func TestSearchExpunged(t *testing.T) {
	r := searchable(t, 4)
	c := r.selecting()
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, ""); err != nil {
		t.Fatal(err)
	}
	c.play(`
		C: a1 SEARCH ALL
		S: * SEARCH 1 3 4
		S: a1 OK SEARCH completed
		C: a2 SORT (REVERSE ARRIVAL) UTF-8 ALL
		S: * SORT 4 3 1
		S: a2 OK SORT completed
		C: a3 UID SEARCH BODY body
		S: * SEARCH 1 3 4
		S: * 2 EXPUNGE
		S: a3 OK SEARCH completed
	`)
}

// RFC 7162 section 3.1.2.2: BAD where there are no mod-sequences.
func TestSearchNoModSeq(t *testing.T) {
	backend := new(costlyBackend)
	r := start(t, func(s *imap.Server) { s.Backend = backend })
	r.fill("Subject: x\r\n\r\n")
	c := r.login()
	backend.box.noModSeq = true
	c.do("SELECT INBOX")
	c.play(`
		C: a1 SEARCH MODSEQ 1
		S: a1 BAD There are no mod-sequences in this mailbox
	`)
}

// go-imap's NumSet counts up to the end of a set, which need not be of messages.
func TestGoIMAPDefectEndlessSets(t *testing.T) {
	r := searchable(t, 3)
	r.selecting().play(`
		C: a1 UID SEARCH UID 1:4294967295 NOT UID 2,4:4294967295
		S: * SEARCH 1 3
		S: a1 OK SEARCH completed
		C: a2 SEARCH RETURN (COUNT) 4294967295:2
		S: * ESEARCH (TAG "a2") COUNT 2
		S: a2 OK SEARCH completed
		C: a3 SORT (ARRIVAL) UTF-8 1:4294967295
		S: * SORT 1 2 3
		S: a3 OK SORT completed
	`)
}
