package imap_test

import (
	"strings"
	"testing"
)

// fireworks is the RFC's message, with LF.
const fireworks = `Date: Thu, 1 Jan 2015 00:05:00 -0500 (EST)
From: Fritz Schmidt <fritz.ze@example.org>
Subject: happy new year !!
To: miss.mitzy@example.org
Message-Id: <B238822388-0100000@example.org>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

Just saw the best fireworks show. Wish you were here.

`

// RFC 8508 sections 3.2 and 3.3.
func TestRFC8508(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.do("CREATE Drafts")
	for range 4 {
		c.do("APPEND Drafts {3+}\r\nold")
	}
	c.do("SELECT Drafts")
	again := strings.Replace(fireworks, "here.\n", "here.\nHopefully next year you can join us.\n", 1)
	c.play(`
		C: A003 REPLACE 4 Drafts (\Seen \Draft) {312}
		S: + OK
		C: ` + fireworks + `
		S: * OK [APPENDUID 2 5] Replacement is there
		S: * 4 EXPUNGE
		S: * 4 EXISTS
		S: * 4 RECENT
		S: A003 OK REPLACE completed
		C: A004 UID REPLACE 5 Drafts (\Seen \Draft) {350}
		S: + OK
		C: ` + again + `
		S: * OK [APPENDUID 2 6] Replacement is there
		S: * 4 EXPUNGE
		S: * 4 EXISTS
		S: * 4 RECENT
		S: A004 OK REPLACE completed
		C: A005 FETCH 4 (UID FLAGS RFC822.SIZE)
		S: * 4 FETCH (UID 6 FLAGS (\Seen \Draft \Recent) RFC822.SIZE 350)
		S: A005 OK FETCH completed
	`)
}

// RFC 8508 section 3.4: as the final version of a draft goes to another mailbox, TRYCREATE,
// and no message is lost by what fails. Section 3.5: in the selected state alone.
func TestRFC8508Elsewhere(t *testing.T) {
	r := start(t, nil)
	r.fill("draft\r\n", "other\r\n")
	c := r.login()
	equal(t, c.do("REPLACE 1 INBOX {3+}\r\nnew"), []string{"BAD Not permitted in this state"})
	c.do("CREATE Sent")
	c.do("SELECT INBOX")
	c.play(`
		C: a1 REPLACE 1 None {3+}
		new
		S: a1 NO [TRYCREATE] No such mailbox
		C: a2 REPLACE 1:2 Sent {3+}
		new
		S: a2 BAD Expected one message
		C: a3 REPLACE 3 Sent {3+}
		new
		S: a3 BAD No such message
		C: a4 UID REPLACE 9 Sent {3+}
		new
		S: a4 NO [EXPUNGEISSUED] ...
		C: a5 REPLACE 1 Sent (\Seen) {3+}
		new
		S: * OK [APPENDUID 2 1] Replacement is there
		S: * 1 EXPUNGE
		S: a5 OK REPLACE completed
		C: a6 STATUS Sent (MESSAGES)
		S: * STATUS Sent (MESSAGES 1)
		S: a6 OK STATUS completed
		C: a7 NOOP
		S: a7 OK NOOP completed
	`)
}
