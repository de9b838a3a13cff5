package imap_test

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
)

// Content of a literal that was refused is no command.
func TestGoIMAPDefectRefusedLiteralIsNoCommand(t *testing.T) {
	evil := "x LOGOUT\r\nx LOGOUT\r\n"
	long := evil + strings.Repeat("x", 9000-len(evil))
	c := start(t, nil).dial()
	for _, command := range []string{
		"LOGIN alice {9000+}\r\n" + long,
		"LOGIN {9000+}\r\n" + long + " {20+}\r\n" + evil,
		"NOOP {9000+}\r\n" + long,
	} {
		equal(t, c.do(command), []string{"BAD Command too long"})
		equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
	}
	// One that waits to be asked for is not sent.
	equal(t, c.do("LOGIN alice {9000}"), []string{"BAD Command too long"})
	equal(t, c.do("LOGIN alice {99999999999999999999}"), []string{"BAD Command too long"})
	equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
	// One that nobody would wait for ends the session.
	c.play(`
		C: a1 LOGIN alice {99999999999999999999+}
		S: * BYE [LIMIT] Too much input
	`)
	c.ends()
}

// ends checks that the server has closed the connection.
func (c *client) ends() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Errorf("then got %q, %v, want the end", rest, err)
	}
}

// A command over the limit is dropped as a whole, and answered under its tag, however long
// that is.
func TestGoIMAPDefectLongCommandHasNoTail(t *testing.T) {
	c := start(t, nil).selecting()
	long := strings.Repeat("x", 60000)
	for _, tag := range []string{"a", "00000001", strings.Repeat("t", 100)} {
		for _, command := range []string{
			" NOOP " + long + " x LOGOUT",
			" UID FETCH 1 \n x LOGOUT",
			" LOGIN {10+}\r\na x LOGOUT " + long + " {10+}\r\n x LOGOUT\r\n",
		} {
			io.WriteString(c, tag+command+"\r\n")
			if got := c.response(); !strings.HasPrefix(got, tag+" BAD ") {
				t.Errorf("%.20s: got %q, want BAD", command, got)
			}
			equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
		}
	}
}

func TestCommandSize(t *testing.T) {
	for _, test := range []struct {
		limit int64
		n     int
		ok    bool
	}{{0, 200 << 10, true}, {0, 300 << 10, false}, {100, 90, true}, {100, 101, false}, {-1, 1 << 20, true}} {
		c := start(t, func(s *imap.Server) { s.MaxCommandSize = test.limit }).selecting()
		n := strconv.Itoa(test.n)
		got := c.do("SEARCH SUBJECT {" + n + "+}\r\n" + strings.Repeat("x", test.n))
		want := []string{"BAD Command too long"}
		if test.ok {
			want = []string{"* SEARCH", "OK SEARCH completed"}
		}
		equal(t, got, want)
		equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
	}
}

// A literal whose octets never come costs what has come.
func TestLiteralInPieces(t *testing.T) {
	c := start(t, nil).dial()
	for _, piece := range []string{"a1 LO", "GIN {5}\r", "\n"} {
		io.WriteString(c, piece)
	}
	c.play("S: + OK")
	for _, piece := range []string{"al", "ice {1", "1}\r\n"} {
		io.WriteString(c, piece)
	}
	c.play("S: + OK")
	for _, piece := range []string{"open ", "sesame\r", "\n"} {
		io.WriteString(c, piece)
	}
	c.play("S: a1 OK [CAPABILITY ...")
}

// Commands that come at once are answered in their order, those with literals too.
func TestPipelining(t *testing.T) {
	c := start(t, nil).dial()
	io.WriteString(c, "a1 NOOP\r\na2 LOGIN {5+}\r\nalice {11+}\r\nopen sesame\r\na3 SELECT INBOX\r\n"+
		"a4 APPEND INBOX {6+}\r\n\r\nbody\r\na5 FETCH 1 (UID BODY.PEEK[])\r\na6 STORE 1 +FLAGS.SILENT \\Deleted\r\na7 EXPUNGE\r\na8 LOGOUT\r\na9 NOOP\r\n")
	var tagged []string
	for {
		l := c.response()
		if l[0] == 'a' {
			tagged = append(tagged, l[:5])
		}
		if strings.HasPrefix(l, "a8") {
			break
		}
	}
	equal(t, tagged, []string{"a1 OK", "a2 OK", "a3 OK", "a4 OK", "a5 OK", "a6 OK", "a7 OK", "a8 OK"})
	c.ends()
}

// Whatever a message is refused for, nothing is added, its octets are no commands, and the
// session goes on.
func TestAppendRefused(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.MaxMessageSize = 100 })
	c := r.selecting()
	evil := "x LOGOUT\r\nx LOGOUT\r\n"
	big := strings.Repeat(evil, 10)
	c.play(`
		C: a1 APPEND INBOX {101}
		S: a1 NO [TOOBIG] The message is too large
		C: a2 APPEND nobox {10}
		S: a2 NO [TRYCREATE] No such mailbox
		C: a3 APPEND INBOX (\Foo) {10}
		S: a3 BAD No such system flag
		C: a4 APPEND INBOX {0}
		S: a4 NO A message cannot be empty
		C: a5 APPEND INBOX "1-Foo-2020 00:00:00 +0000" {10}
		S: a5 BAD Malformed date-time
		C: a6 APPEND INBOX UTF8 (~{10}
		S: a6 BAD UTF8 is for who has enabled UTF8=ACCEPT
		C: a7 APPEND INBOX
		S: a7 BAD Missing argument
		C: a8 APPEND {5}
		S: + OK
		C: INBOX {101}
		S: a8 NO [TOOBIG] The message is too large
	`)
	for _, command := range []string{
		"APPEND INBOX {200+}\r\n" + big,
		"APPEND nobox {200+}\r\n" + big,
		"APPEND nobox {200+}\r\n" + big + " (\\Seen) {20+}\r\n" + evil,
		"APPEND INBOX (\\Foo) {20+}\r\n" + evil,
		"APPEND INBOX {20+}\r\n" + evil + " {200+}\r\n" + big,
		"APPEND INBOX {20+}\r\n" + evil + " nonsense {20+}\r\n" + evil,
		"APPEND INBOX {20+}\r\n" + evil + " (\\Seen) {0+}\r\n",
		"APPEND INBOX {20+}\r\n" + evil + "x",
		"APPEND INBOX {20+}\r\n" + evil + strings.Repeat(" ", 40000),
		"APPEND INBOX ~{20+}\r\n" + evil + ")",
		"UID APPEND INBOX {20+}\r\n" + evil,
		"REPLACE 1 INBOX {20+}\r\n" + evil,
		"UID REPLACE 1 INBOX {20+}\r\n" + evil,
	} {
		got := c.do(command)
		if outcome := got[len(got)-1]; strings.HasPrefix(outcome, "OK") {
			t.Errorf("%.40q: %q", command, got)
		}
		equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
	}
	if st, err := r.inbox.Status(t.Context()); err != nil || st.Messages != 0 {
		t.Errorf("there are %d messages, %v", st.Messages, err)
	}
}

// A store may refuse a message of which more is on its way, and wrap what it was given.
func TestAppendFailsPartway(t *testing.T) {
	f := &faults{left: -1}
	r := start(t, func(s *imap.Server) { s.Backend = faultyBackend{s.Backend, f} })
	c := r.selecting()
	f.arm(2) // Mailbox, Append, and then after its last message
	equal(t, c.do("APPEND INBOX {8+}\r\n\r\nbody\r\n"), []string{"NO [UNAVAILABLE] Temporary failure, please try again later"})
	equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
	equal(t, c.do("APPEND INBOX {8+}\r\n\r\nbody\r\n {8+}\r\n\r\nbody\r\n nonsense"), []string{"BAD Expected a literal"})
	equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
}

// A message too large to be dropped is refused under its tag before the session ends.
func TestAppendFlood(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.MaxMessageSize = 100 })
	c := r.login()
	c.play(`
		C: a1 APPEND INBOX {100000000+}
		S: a1 NO [TOOBIG] The message is too large
		S: * BYE [LIMIT] Too much input
	`)
	c.ends()
}

// RFC 3502 section 6.3.11.
func TestMultiAppend(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	got := c.do("APPEND INBOX (\\Seen) {8+}\r\n\r\nbody\r\n (\\Flagged) \"17-Jul-1996 02:44:25 -0700\" {9+}\r\n\r\nbody2\r\n")
	equal(t, got, []string{"OK [APPENDUID 1 1:2] APPEND completed"})
	c.do("SELECT INBOX")
	got = c.do("FETCH 2 (FLAGS INTERNALDATE RFC822.SIZE)")
	equal(t, got, []string{`* 2 FETCH (FLAGS (\Flagged \Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 9)`, "OK FETCH completed"})
	// Cancelled by a message without octets: none is there.
	c.play(`
		C: a1 APPEND INBOX {8}
		S: + OK
	`)
	io.WriteString(c, "\r\nbody\r\n {0}\r\n")
	c.play(`
		S: a1 NO A message cannot be empty
		C: a2 NOOP
		S: a2 OK NOOP completed
	`)
}

// RFC 3516 section 4.4: a NUL is kept in the store, and no string has one.
func TestNULs(t *testing.T) {
	r := start(t, nil)
	c := r.selecting()
	message := "Subject: a\x00b\r\nContent-Type: text/plain; name=\"\x00\"\r\n\r\nx\x00y\r\n"
	c.do("APPEND INBOX ~{" + strconv.Itoa(len(message)) + "+}\r\n" + message)
	clean := strings.ReplaceAll(message, "\x00", "\x80")
	size := strconv.Itoa(len(message))
	equal(t, c.do("FETCH 1 (RFC822.SIZE BODY.PEEK[])"), []string{"* 1 FETCH (RFC822.SIZE " + size + " BODY[] {" + size + "}\r\n" + clean + ")", "OK FETCH completed"})
	equal(t, c.do("FETCH 1 BINARY.PEEK[1]"), []string{"* 1 FETCH (BINARY[1] ~{5}\r\nx\x00y\r\n)", "OK FETCH completed"})
	equal(t, c.do("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]"), []string{"* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: a\x80b\r\n\r\n)", "OK FETCH completed"})
	for _, item := range []string{"ENVELOPE", "BODYSTRUCTURE", "BODY", "PREVIEW", "BODY.PEEK[1]", "BODY.PEEK[TEXT]<1.1>"} {
		if got := strings.Join(c.do("FETCH 1 "+item), "\n"); strings.Contains(got, "\x00") {
			t.Errorf("%s: %q", item, got)
		}
	}
	var raw []byte
	if b, err := r.inbox.Body(t.Context(), 1); err != nil {
		t.Fatal(err)
	} else if raw, err = io.ReadAll(b); err != nil || string(raw) != message {
		t.Errorf("stored as %q, %v", raw, err)
	}
	// Nor does a command have one.
	equal(t, c.do("SEARCH SUBJECT {1+}\r\n\x00"), []string{"BAD NUL in a string"})
	if got := c.do("SEARCH SUBJECT \"\x00\""); got[0] != "BAD NUL in a string" {
		t.Error(got)
	}
}
