package imap_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
)

// RFC 9755: names and strings are UTF-8 once UTF8=ACCEPT is enabled, modified UTF-7 before.
func TestUTF8Accept(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.play(`
		C: a1 CREATE Entw&APw-rfe
		S: a1 OK ...
		C: a2 LIST "" "Entw*"
		S: * LIST (\HasNoChildren) "/" Entw&APw-rfe
		S: a2 OK LIST completed
		C: a3 APPEND INBOX UTF8 (~{10}
		S: a3 BAD UTF8 is for who has enabled UTF8=ACCEPT
		C: a4 ENABLE UTF8=ACCEPT
		S: * ENABLED UTF8=ACCEPT
		S: a4 OK ENABLE completed
		C: a5 LIST "" "Entwü*"
		S: * LIST (\HasNoChildren) "/" "Entwürfe"
		S: a5 OK LIST completed
		C: a6 SELECT "Entwürfe"
		S: * FLAGS ...
		S: * OK [PERMANENTFLAGS ...
		S: * 0 EXISTS
		S: * 0 RECENT
		S: * OK [UIDVALIDITY ...
		S: * OK [UIDNEXT 1] The next UID
		S: * OK [HIGHESTMODSEQ ...
		S: * OK [MAILBOXID ...
		S: a6 OK [READ-WRITE] SELECT completed
		C: a7 ENABLE UTF8=ACCEPT
		S: a7 BAD Not permitted while a mailbox is selected
		C: a8 SEARCH CHARSET UTF-8 SUBJECT x
		S: a8 BAD No charset may be named after ENABLE UTF8=ACCEPT
	`)
	equal(t, c.do("STATUS {8+}\r\nEntw\xfcrfe (MESSAGES)"), []string{"BAD Mailbox name is not UTF-8"})
	got := c.do("APPEND \"Entwürfe\" UTF8 (~{20+}\r\nSubject: Grüße\r\n\r\n)")
	if last := got[len(got)-1]; !strings.HasPrefix(last, "OK [APPENDUID ") {
		t.Fatal(got)
	}
	if got := c.do("FETCH 1 ENVELOPE"); got[0] != `* 1 FETCH (ENVELOPE (NIL "Grüße" NIL NIL NIL NIL NIL NIL NIL NIL))` {
		t.Errorf("%q", got)
	}
	equal(t, c.do("SEARCH SUBJECT \"grüß\""), []string{"* SEARCH 1", "OK SEARCH completed"})
	for _, command := range []string{"APPEND INBOX UTF8 (~{5+}\r\n\r\nabc", "APPEND INBOX UTF8 (~{5+}\r\n\r\nabc) x", "APPEND INBOX UTF8 ~{5+}\r\n\r\nabc"} {
		if got := c.do(command); !strings.HasPrefix(got[len(got)-1], "BAD ") {
			t.Errorf("%q: %q", command, got)
		}
	}
}

// A message with UTF-8 in its header goes out to who has not enabled it in literals.
func TestUTF8WithoutAccept(t *testing.T) {
	r := start(t, func(*imap.Server) {})
	r.fill("Subject: Grüße\r\nContent-Type: text/plain; name=ü\r\n\r\n")
	c := r.selecting()
	for _, item := range []string{"ENVELOPE", "BODYSTRUCTURE"} {
		got := c.do("FETCH 1 " + item)[0]
		for part := range strings.SplitSeq(got, `"`) {
			if strings.Contains(part, "ü") && !strings.Contains(part, "}\r\n") {
				t.Errorf("8 bit in a quoted string: %q", got)
			}
		}
	}
}
