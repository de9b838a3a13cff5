package imap_test

import (
	"testing"

	"github.com/mailparts/mailparts"
)

func TestSession(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: one\r\n\r\nbody\r\n")
	c := r.dial()
	c.play(`
		C: a1 NOOP
		S: a1 OK NOOP completed
		C: a2 SELECT INBOX
		S: a2 BAD Not permitted in this state
		C: a3 LOGIN alice "wrong"
		S: a3 NO [AUTHENTICATIONFAILED] Authentication failed
		C: a4 LOGIN {5+}
		alice {11}
		S: + OK
		C: open sesame
		S: a4 OK [CAPABILITY IMAP4rev1 ...
		C: a5 SELECT inbox
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS ...
		S: * 1 EXISTS
		S: * 1 RECENT
		S: * OK [UNSEEN 1] The first unseen message
		S: * OK [UIDVALIDITY ...
		S: * OK [UIDNEXT 2] The next UID
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID (F1)] The mailbox
		S: a5 OK [READ-WRITE] SELECT completed
		C: a6 CLOSE
		S: a6 OK CLOSE completed
		C: a7 LOGOUT
		S: * BYE Logging out
		S: a7 OK LOGOUT completed
	`)
}

// What others do is told after the next command.
func TestUpdates(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.selecting()
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 1, Last: 2}}, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{"Work"}}); err != nil {
		t.Fatal(err)
	}
	r.fill("4\r\n")
	c.play(`
		C: a1 NOOP
		S: * 2 EXPUNGE
		S: * 1 EXPUNGE
		S: * 2 EXISTS
		S: * 2 RECENT
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft Work)
		S: * 1 FETCH (FLAGS (Work \Recent))
		S: a1 OK NOOP completed
	`)
}
