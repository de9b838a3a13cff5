package imap_test

import (
	"context"
	"iter"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// RFC 9051 section 6.3.4 and RFC 8474 section 4.1.
func TestCreate(t *testing.T) {
	start(t, nil).login().play(`
		C: A003 CREATE owatagusiam/
		S: A003 OK [MAILBOXID (F2)] CREATE completed
		C: A004 CREATE owatagusiam/blurdybloop
		S: A004 OK [MAILBOXID (F3)] CREATE completed
		C: A005 CREATE owatagusiam
		S: A005 NO [ALREADYEXISTS] The mailbox exists
		C: A006 CREATE inbox
		S: A006 NO [ALREADYEXISTS] The mailbox exists
		C: A007 CREATE Inbox/below
		S: A007 OK [MAILBOXID (F4)] CREATE completed
		C: A008 CREATE ""
		S: A008 NO [CANNOT] A mailbox cannot have this name
		C: A009 CREATE a//b
		S: A009 NO [CANNOT] A mailbox cannot have this name
		C: A010 CREATE
		S: A010 BAD Missing argument
		C: A011 CREATE a b
		S: A011 BAD Expected "("
		C: A012 LIST "" *
		S: * LIST (\HasChildren) "/" INBOX
		S: * LIST (\HasNoChildren) "/" INBOX/below
		S: * LIST (\HasChildren) "/" owatagusiam
		S: * LIST (\HasNoChildren) "/" owatagusiam/blurdybloop
		S: A012 OK LIST completed
		C: A013 CREATE {9+}
		two words
		S: A013 OK [MAILBOXID (F5)] CREATE completed
		C: A014 LIST "" two*
		S: * LIST (\HasNoChildren) "/" "two words"
		S: A014 OK LIST completed
	`)
}

// RFC 9051 section 6.3.5.
func TestDelete(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("blurdybloop", "foo", "foo/bar", "baz/qux")
	c := r.login()
	c.play(`
		C: A683 DELETE blurdybloop
		S: A683 OK DELETE completed
		C: A684 DELETE foo
		S: A684 OK DELETE completed
		C: A685 LIST "" %
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\Noselect \HasChildren) "/" baz
		S: * LIST (\Noselect \HasChildren) "/" foo
		S: A685 OK LIST completed
		C: A686 DELETE foo
		S: A686 NO [HASCHILDREN] It is no mailbox, but there are some below it
		C: A687 DELETE foo/bar
		S: A687 OK DELETE completed
		C: A688 DELETE foo
		S: A688 NO [NONEXISTENT] No such mailbox
		C: A689 DELETE Inbox
		S: A689 NO [CANNOT] INBOX cannot be deleted
	`)
	// One's own selected mailbox is left.
	c.do("SELECT baz/qux")
	c.play(`
		C: b1 DELETE baz/qux
		S: b1 OK DELETE completed
		C: b2 FETCH 1 FLAGS
		S: b2 BAD Not permitted in this state
		C: b3 NOOP
		S: b3 OK NOOP completed
	`)
}

// RFC 9051 section 6.3.6.
func TestRename(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("blurdybloop", "foo", "foo/bar", "INBOX/below")
	r.fill("1\r\n", "2\r\n")
	c := r.login()
	c.play(`
		C: A683 RENAME blurdybloop sarasoop
		S: A683 OK RENAME completed
		C: A684 RENAME foo zowie/
		S: A684 OK RENAME completed
		C: A685 RENAME nosuch a
		S: A685 NO [NONEXISTENT] No such mailbox
		C: A686 RENAME zowie sarasoop
		S: A686 NO [ALREADYEXISTS] The mailbox exists
		C: A687 RENAME zowie inbox
		S: A687 NO [ALREADYEXISTS] The mailbox exists
		C: A688 RENAME zowie
		S: A688 BAD Missing argument
		C: Z432 SELECT INBOX
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS ...
		S: * 2 EXISTS
		S: * 2 RECENT
		S: * OK [UNSEEN 1] The first unseen message
		S: * OK [UIDVALIDITY ...
		S: * OK [UIDNEXT 3] The next UID
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID (F1)] The mailbox
		S: Z432 OK [READ-WRITE] SELECT completed
		C: Z433 RENAME INBOX old-mail
		S: * 2 EXPUNGE
		S: * 1 EXPUNGE
		S: Z433 OK RENAME completed
		C: Z434 LIST "" *
		S: * LIST (\HasChildren) "/" INBOX
		S: * LIST (\HasNoChildren) "/" INBOX/below
		S: * LIST (\HasNoChildren) "/" old-mail
		S: * LIST (\HasNoChildren) "/" sarasoop
		S: * LIST (\HasChildren) "/" zowie
		S: * LIST (\HasNoChildren) "/" zowie/bar
		S: Z434 OK LIST completed
		C: Z435 STATUS old-mail (MESSAGES)
		S: * STATUS old-mail (MESSAGES 2)
		S: Z435 OK STATUS completed
	`)
}

// RFC 9051 section 6.3.6, the first example: a level of hierarchy that is no mailbox.
func TestRenameLevel(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("blurdybloop", "foo/bar", "foo/bar/baz", "foo/barber", "full/x", "taken/a")
	r.fill("1\r\n")
	r.login().play(`
		C: A683 RENAME blurdybloop sarasoop
		S: A683 OK RENAME completed
		C: A684 RENAME foo zowie
		S: A684 OK RENAME completed
		C: A685 LIST "" "zowie*"
		S: * LIST (\HasChildren) "/" zowie/bar
		S: * LIST (\HasNoChildren) "/" zowie/bar/baz
		S: * LIST (\HasNoChildren) "/" zowie/barber
		S: A685 OK LIST completed
		C: A686 LIST "" "foo*"
		S: A686 OK LIST completed
		C: A687 RENAME full taken
		S: A687 NO [ALREADYEXISTS] The mailbox exists
		C: A688 RENAME full full/y
		S: A688 NO [ALREADYEXISTS] The mailbox exists
		C: A689 LIST "" "full/%"
		S: * LIST (\HasNoChildren) "/" full/x
		S: A689 OK LIST completed
	`)
}

// A rename of INBOX for which there is no room leaves no mailbox.
func TestRenameInboxFails(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = noRoom{s.Backend} })
	r.fill("1\r\n")
	r.login().play(`
		C: a1 RENAME INBOX old
		S: a1 NO [OVERQUOTA] Over quota
		C: a2 LIST "" *
		S: * LIST (\HasNoChildren) "/" INBOX
		S: a2 OK LIST completed
		C: a3 STATUS INBOX (MESSAGES)
		S: * STATUS INBOX (MESSAGES 1)
		S: a3 OK STATUS completed
	`)
}

// RFC 9051 section 6.3.11 and the RFCs of the other items.
func TestStatus(t *testing.T) {
	for name, plain := range map[string]bool{"counts kept": false, "counted": true} {
		t.Run(name, func(t *testing.T) {
			memory := new(mailtest.Memory)
			r := start(t, func(s *imap.Server) { s.Backend = memory })
			r.fill("one\r\n", "two\r\n", "three\r\n")
			set := mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagDeleted}}
			if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.UIDSet{{First: 3, Last: 3}}, set); err != nil {
				t.Fatal(err)
			}
			if plain {
				r = start(t, func(s *imap.Server) { s.Backend = plainBackend{memory} })
			}
			c := r.login()
			c.play(`
				C: A042 STATUS inbox (UIDNEXT MESSAGES UIDVALIDITY RECENT)
				S: * STATUS INBOX (UIDNEXT 4 MESSAGES 3 UIDVALIDITY 1 RECENT 3)
				S: A042 OK STATUS completed
				C: A043 STATUS INBOX (UNSEEN DELETED SIZE DELETED-STORAGE unseen APPENDLIMIT)
				S: * STATUS INBOX (UNSEEN 2 DELETED 1 SIZE 17 DELETED-STORAGE 7 APPENDLIMIT 104857600)
				S: A043 OK STATUS completed
				C: A044 STATUS nosuch (MESSAGES)
				S: A044 NO [NONEXISTENT] No such mailbox
				C: A045 STATUS INBOX ()
				S: A045 BAD No STATUS items
				C: A046 STATUS INBOX MESSAGES
				S: A046 BAD Expected "("
				C: A047 STATUS INBOX (NOSUCH)
				S: A047 BAD Unknown STATUS item
			`)
			c.do("SELECT INBOX")
			if got := c.do("STATUS INBOX (RECENT UNSEEN)")[0]; got != "* STATUS INBOX (RECENT 3 UNSEEN 2)" && !plain {
				t.Errorf("of the selected mailbox: %s", got)
			}
		})
	}
}

// RFC 7162 section 3.1.7, RFC 8474 section 4.3 and RFC 7889 section 3.2.
func TestStatusModSeqAndMailboxID(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.MaxMessageSize = -1 })
	r.fill("one\r\n")
	c := r.selecting()
	c.play(`
		C: A042 STATUS INBOX (HIGHESTMODSEQ MAILBOXID APPENDLIMIT)
		S: * STATUS INBOX (HIGHESTMODSEQ 2 MAILBOXID (F1) APPENDLIMIT NIL)
		S: * OK [HIGHESTMODSEQ 2] The highest mod-sequence
		S: A042 OK STATUS completed
	`)
}

// RFC 2342 section 5.
func TestNamespace(t *testing.T) {
	start(t, nil).login().play(`
		C: A001 NAMESPACE
		S: * NAMESPACE (("" "/")) (("Other Users/" "/")) NIL
		S: A001 OK NAMESPACE completed
		C: A002 NAMESPACE x
		S: A002 BAD Unexpected text after the command
	`)
}

// Names in modified UTF-7 (RFC 3501 section 5.1.3).
func TestOddNames(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.play(`
		C: a1 CREATE "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
		S: a1 OK [MAILBOXID (F2)] CREATE completed
		C: a2 CREATE "a & b \\ \" 100% *"
		S: a2 OK [MAILBOXID (F3)] CREATE completed
		C: a3 LIST "" *
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasNoChildren) "/" "a &- b \\ \" 100% *"
		S: * LIST (\HasNoChildren) "/" ~peter/mail/&U,BTFw-/&ZeVnLIqe-
		S: a3 OK LIST completed
		C: a4 LIST "" "~peter/mail/&U,BTFw-/%"
		S: * LIST (\HasNoChildren) "/" ~peter/mail/&U,BTFw-/&ZeVnLIqe-
		S: a4 OK LIST completed
		C: a5 SUBSCRIBE "&AOQ-"
		S: a5 OK SUBSCRIBE completed
		C: a6 LSUB "" "&AOQ-"
		S: * LSUB () "/" &AOQ-
		S: a6 OK LSUB completed
		C: a7 STATUS "&AOQ-" (MESSAGES)
		S: a7 NO [NONEXISTENT] No such mailbox
	`)
	found := false
	for info, err := range r.store.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || info.Name == "~peter/mail/台北/日本語"
	}
	if !found {
		t.Error("the store has no name in UTF-8")
	}
}

// noRoom is a Backend whose mailboxes take nothing.
type noRoom struct{ mailparts.Backend }

func (b noRoom) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return noRoomStore{s, s.(mailparts.Manager)}, err
}

type noRoomStore struct {
	mailparts.Store
	mailparts.Manager
}

func (s noRoomStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	if name == "INBOX" {
		return mb, err
	}
	return noRoomMailbox{mb}, err
}

type noRoomMailbox struct{ mailparts.Mailbox }

func (noRoomMailbox) Append(context.Context, iter.Seq2[mailparts.Incoming, error]) (mailparts.Placed, error) {
	return mailparts.Placed{}, mailparts.ErrQuota
}
