package imap_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
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

// RFC 9755 section 4: a header that is not US-ASCII is only for who has said that it reads
// such, by ENABLE UTF8=ACCEPT or, as RFC 9051 has it, ENABLE IMAP4rev2.
func TestRFC9755Append(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: x\r\n\r\n")
	const refused = "NO [CANNOT] A header that is not US-ASCII is for who has enabled UTF8=ACCEPT"
	literal := func(message string) string { return "{" + itoa(uint32(len(message))) + "+}\r\n" + message }
	long := strings.Repeat("X-Field: x\r\n", 10000)
	for _, test := range []struct {
		header, body string
		ok           bool
	}{
		{"Subject: x\r\n", "Grüße\r\n", true},
		{"Subject: x\r\nX: " + strings.Repeat("y", 5000) + "\r\n" + long, "\r\nGrüße\r\n", true},
		{"", "Grüße\r\n", true},
		{"Subject: Grüße\r\n", "x\r\n", false},
		{"Subject: x\r\n \xff\r\n", "x\r\n", false},
		{"\xe4: x\r\n", "", false},
		{long + "X: ü\r\n", "x LOGOUT\r\n", false},
	} {
		message := test.header + "\r\n" + test.body
		for _, command := range []string{"APPEND INBOX ", "REPLACE 1 INBOX ", "APPEND INBOX {3+}\r\nx\r\n "} {
			c := r.selecting()
			got := c.do(command + literal(message))
			if last := got[len(got)-1]; strings.HasPrefix(last, "OK ") != test.ok || !test.ok && last != refused {
				t.Errorf("%s with %.40q and %q: %q", command, test.header, test.body, last)
			}
			c.do("NOOP")
			c.do("LOGOUT")
		}
	}
	c := r.selecting()
	c.play(`
		C: a1 APPEND INBOX {16}
		S: + OK
		C: Subject: ü

		x
		S: a1 NO [CANNOT] A header that is not US-ASCII is for who has enabled UTF8=ACCEPT
		C: a2 NOOP
		S: a2 OK NOOP completed
	`)
	for _, enable := range []string{"UTF8=ACCEPT", "IMAP4rev2"} {
		c := r.login()
		c.do("ENABLE " + enable)
		if got := c.do("APPEND INBOX " + literal("Subject: Grüße\r\n\r\n")); !strings.HasPrefix(got[len(got)-1], "OK [APPENDUID ") {
			t.Errorf("after ENABLE %s: %q", enable, got)
		}
	}
}

// Who runs the server may take such headers from everybody.
func TestAcceptRawHeaders(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.AcceptRawHeaders = true })
	c := r.selecting()
	c.play(`
		C: a1 APPEND INBOX {16}
		S: + OK
		C: Subject: ü

		x
		S: * 1 EXISTS
		S: * 1 RECENT
		S: a1 OK [APPENDUID ...
	`)
}
