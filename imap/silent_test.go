package imap_test

import (
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mbox"
)

// A mailbox without mod-sequences tells what is not as the client makes it out, and only
// that.
func TestSilentStoreWithoutModSeqs(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = &mbox.Backend{Root: t.TempDir()} })
	const message = "Subject: x\r\n\r\nx\r\n"
	r.fill(message, message, message)
	c := r.selecting()
	r.flag(mailparts.FlagFlagged, 1)
	c.play(`
		C: a1 STORE 1:2 +FLAGS.SILENT (\Seen)
		S: a1 OK STORE completed
		C: a2 NOOP
		S: * 1 FETCH (FLAGS (\Seen \Flagged \Recent))
		S: a2 OK NOOP completed
		C: a3 STORE 1 -FLAGS.SILENT (\flagged \Answered)
		S: a3 OK STORE completed
		C: a4 UID STORE 2 +FLAGS (\Answered)
		S: * 2 FETCH (UID 2 FLAGS (\Seen \Answered \Recent))
		S: a4 OK STORE completed
		C: a5 FETCH 3 BODY[TEXT]
		S: * 3 FETCH (BODY[TEXT] {3}
		x
		 FLAGS (\Seen \Recent))
		S: a5 OK FETCH completed
		C: a6 NOOP
		S: a6 OK NOOP completed
	`)
}
