package imap_test

import (
	"strings"
	"testing"
)

// RFC 9755 has no dialogues; its demands are played here and in utf8_test.go. Section 3:
// what is no UTF-8 in a quoted string is refused wherever a string may be, before ENABLE
// and after it.
func TestRFC9755QuotedStrings(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: Grüße\r\n\r\n")
	bad := []string{`LOGIN "al` + "\xff" + `ice" x`, `ID ("name" "` + "\xc3" + `")`}
	c := r.dial()
	for _, command := range bad {
		equal(t, c.do(command), []string{"BAD Quoted string is not UTF-8"})
	}
	bad = []string{
		"SELECT \"\xe4\"", "STATUS \"\xe4\" (MESSAGES)", "LIST \"\xe4\" *", "LIST \"\" \"\xe4\"", "GETQUOTA \"\xe4\"", "GETQUOTAROOT \"\xe4\"",
		"RENAME a \"\xed\xa0\x80\"", "CREATE \"\xc0\xaf\"", // a surrogate, and "/" at length
		"SEARCH SUBJECT \"Gr\xfc\xdfe\"", "SEARCH CHARSET ISO-8859-1 SUBJECT \"Gr\xfc\xdfe\"", "SEARCH HEADER \"\xe4\" x", "FETCH 1 BODY[HEADER.FIELDS (\"\xe4\")]",
	}
	for _, enable := range []string{"NOOP", "ENABLE UTF8=ACCEPT", "ENABLE IMAP4rev2"} {
		c = r.login()
		c.do(enable)
		c.do("SELECT INBOX")
		for _, command := range bad {
			got := c.do(command)
			if enable == "ENABLE UTF8=ACCEPT" && strings.Contains(command, "CHARSET") {
				got[0] = strings.Replace(got[0], "No charset may be named after ENABLE UTF8=ACCEPT", "Quoted string is not UTF-8", 1)
			}
			equal(t, got, []string{"BAD Quoted string is not UTF-8"})
		}
		if got := c.do("SEARCH SUBJECT \"grüß\""); !strings.HasSuffix(got[0], " 1") {
			t.Error(got)
		}
	}
}

// RFC 9755 section 3: no charset but UTF-8 where one must be named.
func TestRFC9755Charset(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: x\r\n\r\n")
	c := r.login()
	c.do("ENABLE UTF8=ACCEPT")
	c.do("SELECT INBOX")
	c.play(`
		C: a1 SORT (SUBJECT) US-ASCII ALL
		S: a1 BAD Only UTF-8 is possible after ENABLE UTF8=ACCEPT
		C: a2 UID SORT (SUBJECT) utf-8 ALL
		S: * SORT 1
		S: a2 OK SORT completed
		C: a3 THREAD REFERENCES ISO-8859-1 ALL
		S: a3 BAD Only UTF-8 is possible after ENABLE UTF8=ACCEPT
		C: a4 THREAD REFERENCES UTF-8 ALL
		S: * THREAD (1)
		S: a4 OK THREAD completed
	`)
}
