package imap_test

import "testing"

// RFC 4315 sections 2.1 and 3, RFC 6851 section 4.3, RFC 3691 section 2.
func TestRFC4315(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n", "5\r\n")
	c := r.login()
	c.do("CREATE meeting")
	c.do("SELECT INBOX")
	c.play(`
		C: A001 STORE 2:5 +FLAGS.SILENT (\Deleted)
		S: A001 OK STORE completed
		C: A003 UID EXPUNGE 3000:3002,3:4
		S: * 4 EXPUNGE
		S: * 3 EXPUNGE
		S: A003 OK ...
		C: A004 COPY 2:3 meeting
		S: A004 OK [COPYUID 2 2,5 1:2] ...
		C: A005 UID COPY 305:310 meeting
		S: A005 OK ...
		C: a UID MOVE 2:5 meeting
		S: * OK [COPYUID 2 2,5 3:4] ...
		S: * 3 EXPUNGE
		S: * 2 EXPUNGE
		S: a OK ...
		C: A341 UNSELECT
		S: A341 OK UNSELECT completed
		C: A342 STATUS meeting (MESSAGES)
		S: * STATUS meeting (MESSAGES 4)
		S: A342 OK STATUS completed
	`)
}
