package imap_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// RFC 3502 section 6.3.11.
func TestRFC3502(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = &mailtest.Memory{MaxStorage: 30000} })
	r.mailboxes("saved-messages", "test")
	lines := func(l ...string) string { return strings.Join(l, "\r\n") }
	meeting := lines("Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)",
		"From: Fred Foobar <foobar@Blurdybloop.example.COM>",
		"Subject: afternoon meeting",
		"To: mooch@owatagu.example.net",
		"Message-Id: <B27397-0100000@Blurdybloop.example.COM>",
		"MIME-Version: 1.0",
		"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII",
		"",
		"Hello Joe, do you think we can meet at 3:30 tomorrow?",
		"")
	answer := lines("Date: Mon, 7 Feb 1994 22:43:04 -0800 (PST)",
		"From: Joe Mooch <mooch@OWaTaGu.example.net>",
		"Subject: Re: afternoon meeting",
		"To: foobar@blurdybloop.example.com",
		"Message-Id: <a0434793874930@OWaTaGu.example.net>",
		"MIME-Version: 1.0",
		"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII",
		"",
		"3:30 is fine with me.",
		"")
	hmm := lines("Date: Mon, 7 Feb 2000 22:43:04 -0800 (PST)", "From: Fred Foobar <fred@example.com>", "Subject: hmm...", "")
	c := r.login()
	send := func(format string, args ...any) { fmt.Fprintf(c, format, args...) }
	send("A003 APPEND saved-messages (\\Seen) {%d}\r\n", len(meeting))
	c.play("S: + OK")
	send("%s (\\Seen) \" 7-Feb-1994 22:43:04 -0800\" {%d}\r\n", meeting, len(answer))
	c.play("S: + OK")
	send("%s\r\n", answer)
	c.play(`
		S: A003 OK [APPENDUID 2 1:2] APPEND completed
		C: A004 APPEND bogusname (\Flagged) {1023}
		S: A004 NO [TRYCREATE] No such mailbox
	`)
	send("A005 APPEND test (\\Flagged) {%d}\r\n", len(hmm))
	c.play("S: + OK")
	io.WriteString(c, hmm)
	c.play(`
		C:  {35403}
		S: A005 NO [OVERQUOTA] Over quota
		C: A006 STATUS test (MESSAGES)
		S: * STATUS test (MESSAGES 0)
		S: A006 OK STATUS completed
		C: A007 SELECT saved-messages
	`)
	c.until("A007")
	c.play(fmt.Sprintf(`
		C: A008 FETCH 1:2 (FLAGS RFC822.SIZE)
		S: * 1 FETCH (FLAGS (\Seen \Recent) RFC822.SIZE %d)
		S: * 2 FETCH (FLAGS (\Seen \Recent) RFC822.SIZE %d)
		S: A008 OK FETCH completed
		C: A009 FETCH 2 INTERNALDATE
		S: * 2 FETCH (INTERNALDATE " 7-Feb-1994 22:43:04 -0800")
		S: A009 OK FETCH completed
	`, len(meeting), len(answer)))
	// The client of the selected mailbox is told of new messages at once.
	c.play(`
		C: A010 APPEND saved-messages {5+}
		a

		 {5+}
		b


		S: * 4 EXISTS
		S: * 4 RECENT
		S: A010 OK [APPENDUID 2 3:4] APPEND completed
	`)
}
