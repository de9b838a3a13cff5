package imap_test

import (
	"testing"

	"github.com/mailparts/mailparts/imap"
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

// RFC 7889 sections 2 and 3.
func TestRFC7889(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.MaxMessageSize = 257890 })
	r.login().play(`
		C: t1 STATUS INBOX (APPENDLIMIT)
		S: * STATUS INBOX (APPENDLIMIT 257890)
		S: t1 OK STATUS completed
		C: t2 LIST "" % RETURN (STATUS (APPENDLIMIT))
		S: * LIST () "/" INBOX
		S: * STATUS INBOX (APPENDLIMIT 257890)
		S: t2 OK LIST completed
		C: t3 APPEND INBOX {257891}
		S: t3 NO [TOOBIG] ...
	`)
}
