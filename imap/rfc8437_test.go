package imap_test

import (
	"io"
	"testing"
)

// RFC 8437 has no dialogues. Section 3: the client need not wait for the answer before it
// authenticates again, in one round trip with SASL-IR. Section 4.1: what was enabled and
// saved is so no more.
func TestRFC8437(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n")
	c := r.login()
	c.do("ENABLE IMAP4rev2 UTF8=ACCEPT QRESYNC")
	c.do("SELECT INBOX")
	c.play(`
		C: a1 SEARCH RETURN (SAVE) ALL
		S: a1 OK SEARCH completed
		C: a2 STORE 1 +FLAGS.SILENT (\Deleted)
		S: * 1 FETCH (UID 1 MODSEQ ...
		S: a2 OK STORE completed
	`)
	const bob, alice = "AGJvYgBvcGVuIHNlc2FtZQ==", "AGFsaWNlAG9wZW4gc2VzYW1l"
	io.WriteString(c, "b1 UNAUTHENTICATE\r\nb2 AUTHENTICATE PLAIN "+bob+"\r\nb3 STATUS INBOX (MESSAGES)\r\nb4 UNAUTHENTICATE\r\nb5 AUTHENTICATE PLAIN "+alice+"\r\n")
	c.play(`
		S: b1 OK [CAPABILITY ...
		S: b2 OK [CAPABILITY ...
		S: * STATUS INBOX (MESSAGES 0)
		S: b3 OK STATUS completed
		S: b4 OK [CAPABILITY ...
		S: b5 OK [CAPABILITY ...
		C: c1 FETCH 1 FLAGS
		S: c1 BAD Not permitted in this state
		C: c2 SELECT INBOX
		S: * FLAGS ...
		S: * OK [PERMANENTFLAGS ...
		S: * 1 EXISTS
		S: * 0 RECENT
	`)
	c.until("c2")
	c.play(`
		C: c3 FETCH $ UID
		S: c3 OK FETCH completed
		C: c4 STORE 1 FLAGS (\Seen)
		S: * 1 FETCH (FLAGS (\Seen))
		S: c4 OK STORE completed
		C: c5 SEARCH ALL
		S: * SEARCH 1
		S: c5 OK SEARCH completed
	`)
}
