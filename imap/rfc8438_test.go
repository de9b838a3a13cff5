package imap_test

import (
	"strings"
	"testing"
)

// RFC 8438 section 3. INBOX has one message.
func TestRFC8438(t *testing.T) {
	r := start(t, nil)
	r.fill("in\r\n")
	r.mailboxes("frop")
	c := r.login()
	for _, size := range []int{3224, 1222, 444, 4516, 544, 922, 31126, 2423} {
		c.do("APPEND frop {" + itoa(uint32(size)) + "+}\r\n\r\n" + strings.Repeat("x", size-2))
	}
	c.play(`
		C: A01 STATUS frop (MESSAGES SIZE UIDNEXT)
		S: * STATUS frop (MESSAGES 8 SIZE 44421 UIDNEXT 9)
		S: A01 OK STATUS completed
		C: A02 SELECT "frop"
	`)
	c.until("A02")
	c.play(`
		C: A03 FETCH 1:* (RFC822.SIZE)
		S: * 1 FETCH (RFC822.SIZE 3224)
		S: * 2 FETCH (RFC822.SIZE 1222)
		S: * 3 FETCH (RFC822.SIZE 444)
		S: * 4 FETCH (RFC822.SIZE 4516)
		S: * 5 FETCH (RFC822.SIZE 544)
		S: * 6 FETCH (RFC822.SIZE 922)
		S: * 7 FETCH (RFC822.SIZE 31126)
		S: * 8 FETCH (RFC822.SIZE 2423)
		S: A03 OK FETCH completed
		C: A04 LIST "" % RETURN (STATUS (MESSAGES SIZE))
		S: * LIST () "/" INBOX
		S: * STATUS INBOX (MESSAGES 1 SIZE 4)
		S: * LIST () "/" frop
		S: * STATUS frop (MESSAGES 8 SIZE 44421)
		S: A04 OK LIST completed
	`)
}
