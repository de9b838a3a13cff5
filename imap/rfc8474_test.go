package imap_test

import (
	"slices"
	"testing"
)

// RFC 8474 sections 4.1 and 4.3: an ID stays through RENAME.
func TestRFC8474Rename(t *testing.T) {
	start(t, nil).login().play(`
		C: 3 create foo
		S: 3 OK [MAILBOXID (F2)] ...
		C: 4 create bar
		S: 4 OK [MAILBOXID (F3)] ...
		C: 5 create foo
		S: 5 NO ...
		C: 6 status foo (mailboxid)
		S: * STATUS foo (MAILBOXID (F2))
		S: 6 OK STATUS completed
		C: 8 rename foo renamed
		S: 8 OK RENAME completed
		C: 9 status renamed (mailboxid)
		S: * STATUS renamed (MAILBOXID (F2))
		S: 9 OK STATUS completed
		C: 10 status bar (mailboxid)
		S: * STATUS bar (MAILBOXID (F3))
		S: 10 OK STATUS completed
	`)
}

// RFC 8474 sections 4.2, 4.3, 5 and 6: the ID of a message goes with it through MOVE, and
// COPY gives it to another.
func TestRFC8474Move(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: Message A\r\n\r\n", "Subject: Re: Message A\r\n\r\n", "Subject: Message C\r\n\r\n")
	c := r.login()
	c.do("CREATE foo")
	c.do("SELECT INBOX")
	c.play(`
		C: 22 fetch 1:* (emailid threadid)
		S: * 1 FETCH (EMAILID (M2) THREADID NIL)
		S: * 2 FETCH (EMAILID (M3) THREADID NIL)
		S: * 3 FETCH (EMAILID (M4) THREADID NIL)
		S: 22 OK FETCH completed
		C: 27 search emailid M2
		S: * SEARCH 1
		S: 27 OK SEARCH completed
		C: 28 search or emailid M4 emailid m3
		S: * SEARCH 3
		S: 28 OK SEARCH completed
		C: 23 move 2 foo
		S: * OK [COPYUID 2 2 1] Moved
		S: * 2 EXPUNGE
		S: 23 OK MOVE completed
		C: 24 fetch 1:* (emailid threadid)
		S: * 1 FETCH (EMAILID (M2) THREADID NIL)
		S: * 2 FETCH (EMAILID (M4) THREADID NIL)
		S: 24 OK FETCH completed
		C: 29 copy 1 foo
		S: 29 OK [COPYUID 2 1 2] COPY completed
		C: 11 list "" "*" return (status (mailboxid))
		S: * LIST () "/" INBOX
		S: * STATUS INBOX (MAILBOXID (F1))
		S: * LIST () "/" foo
		S: * STATUS foo (MAILBOXID (F5))
		S: 11 OK LIST completed
	`)
	if got := c.do("SELECT foo"); !slices.Contains(got, "* OK [MAILBOXID (F5)] The mailbox") {
		t.Error(got)
	}
	c.play(`
		C: 26 fetch 1:* (emailid threadid)
		S: * 1 FETCH (EMAILID (M3) THREADID NIL)
		S: * 2 FETCH (EMAILID (M2) THREADID NIL)
		S: 26 OK FETCH completed
	`)
}
