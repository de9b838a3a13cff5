package imap_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

// noted is the message of the examples of RFC 9051 section 8.
const noted = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n" +
	"From: Terry Gray <gray@cac.washington.edu>\r\n" +
	"Subject: IMAP4rev2 WG mtg summary and minutes\r\n" +
	"To: imap@cac.washington.edu\r\n" +
	"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n" +
	"Message-Id: <B27397-0100000@cac.washington.edu>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"

// RFC 9051 section 8: a sample connection.
func TestRFC9051Sample(t *testing.T) {
	r := start(t, nil)
	r.put(time.Date(1996, 7, 17, 2, 44, 25, 0, time.FixedZone("", -7*3600)), noted+strings.Repeat("12345678901234567890123456789012\r\n", 92), mailparts.FlagSeen)
	r.login().play(`
		C: babc ENABLE IMAP4rev2
		S: * ENABLED IMAP4rev2
		S: babc OK ENABLE completed
		C: a002 select inbox
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft \*)] ...
		S: * 1 EXISTS
		S: * OK [UIDVALIDITY 1] UIDs are valid
		S: * OK [UIDNEXT 2] ...
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID ...
		S: * LIST () "/" INBOX
		S: a002 OK [READ-WRITE] SELECT completed
		C: a003 fetch 1 full
		S: * 1 FETCH (FLAGS (\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 3470 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7bit" 3128 92))
		S: a003 OK FETCH completed
		C: a004 fetch 1 body[header]
		S: * 1 FETCH (BODY[HEADER] {342}
		` + strings.ReplaceAll(noted, "\r\n", "\n") + `)
		S: a004 OK FETCH completed
		C: a005 store 1 +flags \deleted
		S: * 1 FETCH (FLAGS (\Seen \Deleted))
		S: a005 OK STORE completed
		C: a006 logout
		S: * BYE ...
		S: a006 OK LOGOUT completed
	`)
}

// RFC 9051 section 6.1.
func TestRFC9051AnyState(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.dial()
	c.play(`
		C: abcd CAPABILITY
		S: * CAPABILITY IMAP4rev1 IMAP4rev2 ...
		S: abcd OK CAPABILITY completed
		C: a001 NOOP
		S: a001 OK NOOP completed
		C: a002 LOGIN alice "open sesame"
		S: a002 OK [CAPABILITY IMAP4rev1 IMAP4rev2 ...
		C: a003 SELECT INBOX
	`)
	c.until("a003")
	other := r.selecting()
	other.do(`STORE 2 +FLAGS.SILENT (\Deleted)`)
	other.do("EXPUNGE")
	r.fill("4\r\n")
	other.do(`STORE 2 FLAGS.SILENT (\Seen \Deleted)`)
	c.play(`
		C: a047 NOOP
		S: * 2 EXPUNGE
		S: * 3 EXISTS
		S: * 2 RECENT
		S: * 2 FETCH (FLAGS (\Seen \Deleted \Recent))
		S: a047 OK NOOP completed
		C: A023 LOGOUT
		S: * BYE ...
		S: A023 OK LOGOUT completed
	`)
}

// until reads the responses of a command.
func (c *client) until(tag string) {
	c.t.Helper()
	for !strings.HasPrefix(c.response(), tag+" ") {
	}
}

// RFC 9051 sections 6.3.1, 6.3.2, 6.3.3, 6.3.7 and 6.3.8.
func TestRFC9051Select(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("Drafts", "blurdybloop")
	r.fill("1\r\n", "2\r\n")
	r.login().play(`
		C: t1 CAPABILITY
		S: * CAPABILITY IMAP4rev1 IMAP4rev2 ...
		S: t1 OK CAPABILITY completed
		C: t2 ENABLE CONDSTORE X-GOOD-IDEA
		S: * ENABLED CONDSTORE
		S: t2 OK ENABLE completed
		C: t3 ENABLE IMAP4rev2 CONDSTORE
		S: * ENABLED IMAP4rev2
		S: t3 OK ENABLE completed
		C: A142 SELECT INBOX
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft \*)] ...
		S: * 2 EXISTS
		S: * OK [UIDVALIDITY 1] UIDs are valid
		S: * OK [UIDNEXT 3] The next UID
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID ...
		S: * LIST () "/" INBOX
		S: A142 OK [READ-WRITE] SELECT completed
		C: A143 SELECT Drafts
		S: * OK [CLOSED] Previous mailbox is closed
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft \*)] ...
		S: * 0 EXISTS
		S: * OK [UIDVALIDITY ...
		S: * OK [UIDNEXT 1] The next UID
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID ...
		S: * LIST () "/" Drafts
		S: A143 OK [READ-WRITE] SELECT completed
		C: A932 EXAMINE blurdybloop
		S: * OK [CLOSED] Previous mailbox is closed
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS ()] ...
		S: * 0 EXISTS
		S: * OK [UIDVALIDITY ...
		S: * OK [UIDNEXT 1] The next UID
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID ...
		S: * LIST () "/" blurdybloop
		S: A932 OK [READ-ONLY] EXAMINE completed
		C: A001 SUBSCRIBE #news.comp.mail.mime
		S: A001 OK SUBSCRIBE completed
		C: A002 UNSUBSCRIBE #news.comp.mail.mime
		S: A002 OK UNSUBSCRIBE completed
	`)
}

// RFC 3501 section 6.3.1: what IMAP4rev1 has that IMAP4rev2 has not.
func TestRFC3501Select(t *testing.T) {
	r := start(t, nil)
	r.put(time.Time{}, "1\r\n", mailparts.FlagSeen)
	r.fill("2\r\n")
	r.login().play(`
		C: A142 SELECT INBOX
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft \*)] ...
		S: * 2 EXISTS
		S: * 2 RECENT
		S: * OK [UNSEEN 2] ...
		S: * OK [UIDVALIDITY 1] UIDs are valid
		S: * OK [UIDNEXT 3] The next UID
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID ...
		S: A142 OK [READ-WRITE] SELECT completed
		C: A143 CHECK
		S: A143 OK CHECK completed
	`)
}

// RFC 9051 sections 6.3.12 and 7.6.
func TestRFC9051Append(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("saved-messages", "meeting", "funny")
	c := r.login()
	fmt.Fprintf(c, "A003 APPEND saved-messages (\\Seen) {%d}\r\n", len(noted)+4)
	if got := c.response(); !strings.HasPrefix(got, "+ ") {
		t.Fatal(got)
	}
	io.WriteString(c, noted+"Hi\r\n\r\n")
	c.play(`
		S: A003 OK [APPENDUID 2 1] APPEND completed
	`)
	fmt.Fprintf(c, "A003 APPEND saved-messages (\\Seen) {%d+}\r\n%sHi\r\n\r\n", len(noted)+4, noted)
	c.play(`
		S: A003 OK [APPENDUID 2 2] APPEND completed
		C: s SELECT saved-messages
	`)
	c.until("s")
	c.play(`
		C: A004 COPY 1:2 meeting
		S: A004 OK [COPYUID 3 1:2 1:2] COPY completed
		C: A005 UID COPY 305:310 meeting
		S: A005 OK COPY completed
		C: A006 COPY 2 funny
		S: A006 OK [COPYUID 4 2 1] COPY completed
		C: A044 BLURDYBLOOP {102856}
		S: A044 BAD ...
	`)
}

// RFC 9051 section 6.3.13 and RFC 2177 section 3.
func TestRFC9051Idle(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c, other := r.selecting(), r.selecting()
	c.play(`
		C: A002 IDLE
		S: + idling
	`)
	r.fill("4\r\n")
	c.play(`
		S: * 4 EXISTS
		S: * 4 RECENT
		C: DONE
		S: A002 OK IDLE completed
	`)
	other.do(`STORE 2 +FLAGS.SILENT (\Deleted)`)
	other.do("EXPUNGE")
	c.play(`
		C: A003 FETCH 4 UID
		S: * 4 FETCH (UID 4)
		S: A003 OK FETCH completed
		C: A004 IDLE
		S: * 2 EXPUNGE
		S: + idling
	`)
	other.do(`STORE 3 +FLAGS.SILENT (\Deleted)`)
	other.do("EXPUNGE")
	for c.response() != "* 3 EXPUNGE" { // after its flags, perhaps
	}
	r.fill("5\r\n")
	c.play(`
		S: * 3 EXISTS
		S: * 3 RECENT
		C: DONE
		S: A004 OK IDLE completed
		C: A005 FETCH 3 UID
		S: * 3 FETCH (UID 5)
		S: A005 OK FETCH completed
		C: A006 IDLE
		S: + idling
		C: DONE
		S: A006 OK IDLE completed
	`)
}

// RFC 9051 sections 6.4.1, 6.4.2, 6.4.3, 6.4.5 to 6.4.9.
func TestRFC9051Selected(t *testing.T) {
	r := start(t, nil)
	for i := range 11 {
		r.put(time.Time{}, fmt.Sprintf("Date: Mon, %d Feb 1994 21:52:25 -0800\r\nFrom: fred@example.com\r\nSubject: %d\r\n\r\n", i+1, i), mailparts.FlagSeen)
	}
	r.mailboxes("MEETING", "foo")
	c := r.login()
	c.do("ENABLE IMAP4rev2")
	c.do("SELECT INBOX")
	c.play(`
		C: A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])
		S: * 2 FETCH (FLAGS (\Seen) BODY[HEADER.FIELDS (DATE FROM)] {64}
		Date: Mon, 2 Feb 1994 21:52:25 -0800
		From: fred@example.com

		)
		S: * 3 FETCH (FLAGS (\Seen) BODY[HEADER.FIELDS (DATE FROM)] {64}
		Date: Mon, 3 Feb 1994 21:52:25 -0800
		From: fred@example.com

		)
		S: * 4 FETCH (FLAGS (\Seen) BODY[HEADER.FIELDS (DATE FROM)] {64}
		Date: Mon, 4 Feb 1994 21:52:25 -0800
		From: fred@example.com

		)
		S: A654 OK FETCH completed
		C: s STORE 3 FLAGS.SILENT ()
		S: s OK STORE completed
		C: A003 STORE 2:4 +FLAGS (\Deleted)
		S: * 2 FETCH (FLAGS (\Seen \Deleted))
		S: * 3 FETCH (FLAGS (\Deleted))
		S: * 4 FETCH (FLAGS (\Seen \Deleted))
		S: A003 OK STORE completed
		C: A003 COPY 2:4 MEETING
		S: A003 OK [COPYUID 2 2:4 1:3] COPY completed
		C: s STORE 1:11 -FLAGS.SILENT (\Deleted)
		S: s OK STORE completed
		C: s STORE 3,4,7,11 +FLAGS.SILENT (\Deleted)
		S: s OK STORE completed
		C: A202 EXPUNGE
		S: * 11 EXPUNGE
		S: * 7 EXPUNGE
		S: * 4 EXPUNGE
		S: * 3 EXPUNGE
		S: A202 OK EXPUNGE completed
		C: a UID MOVE 6:69 foo
		S: * OK [COPYUID 3 6,8:10 1:4] ...
		S: * 7 EXPUNGE
		S: * 6 EXPUNGE
		S: * 5 EXPUNGE
		S: * 4 EXPUNGE
		S: a OK MOVE completed
		C: s STORE 1,2 +FLAGS.SILENT (\Deleted)
		S: s OK STORE completed
		C: A003 UID EXPUNGE 2:3002
		S: * 2 EXPUNGE
		S: A003 OK EXPUNGE completed
		C: A999 UID FETCH 1:4828442 FLAGS
		S: * 1 FETCH (UID 1 FLAGS (\Seen \Deleted))
		S: * 2 FETCH (UID 5 FLAGS (\Seen))
		S: A999 OK FETCH completed
		C: A341 CLOSE
		S: A341 OK CLOSE completed
		C: A342 STATUS INBOX (MESSAGES)
		S: * STATUS INBOX (MESSAGES 1)
		S: A342 OK STATUS completed
	`)
}

// RFC 9051 section 7.5.2: the structures of a simple text and of a text with an
// attachment.
func TestRFC9051BodyStructure(t *testing.T) {
	r := start(t, nil)
	lines := func(n, octets int) string { // n lines of octets in all
		return strings.Repeat("x\r\n", n-1) + strings.Repeat("y", octets-3*(n-1)-2) + "\r\n"
	}
	r.fill("Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"+lines(48, 2279),
		"Content-Type: multipart/MIXED; boundary=b\r\n\r\n--b\r\n\r\n"+lines(23, 1152)+
			"\r\n--b\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff\r\nContent-ID: <960723163407.20117h@cac.washington.edu>\r\n"+
			"Content-Description: Compiler diff\r\nContent-Transfer-Encoding: BASE64\r\n\r\n"+lines(73, 4554)+"\r\n--b--\r\n")
	r.selecting().play(`
		C: a FETCH 1:2 BODY
		S: * 1 FETCH (BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7bit" 2279 48))
		S: * 2 FETCH (BODY (("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1152 23)("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED"))
		S: a OK FETCH completed
	`)
}

// RFC 9051 section 6.2.2, RFC 4959 section 6, RFC 7888 section 3.
func TestRFC4959(t *testing.T) {
	r := start(t, nil)
	const alice = "AGFsaWNlAG9wZW4gc2VzYW1l"
	for _, script := range []string{
		"C: A01 AUTHENTICATE PLAIN " + alice + "\nS: A01 OK [CAPABILITY ...",
		"C: A01 AUTHENTICATE PLAIN\nS: + \nC: " + alice + "\nS: A01 OK [CAPABILITY ...",
		"C: A01 AUTHENTICATE PLAIN =\nS: A01 BAD ...",
		"C: A01 AUTHENTICATE PLAIN\nS: + \nC: *\nS: A01 BAD ...",
		"C: A01 AUTHENTICATE GSSAPI " + alice + "\nS: A01 NO ...",
		"C: A001 LOGIN {5+}\nalice {11+}\nopen sesame\nS: A001 OK [CAPABILITY ...",
		"C: A001 LOGIN {5}\nS: + ...\nC: alice {11}\nS: + ...\nC: open sesame\nS: A001 OK [CAPABILITY ...",
	} {
		r.dial().play(script)
	}
}
