package imap_test

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap"
)

// fuzzCommands are commands in which "@" stands for one of fuzzArguments.
var fuzzCommands = []string{
	"NOOP", "CHECK", "CAPABILITY", "NAMESPACE", "@", "@ @ @", "ENABLE @", "SELECT @", "EXAMINE @", "SELECT INBOX (QRESYNC (1 @ @ (@ @)))",
	"SELECT INBOX (@)", "CLOSE", "UNSELECT", "CREATE @", "DELETE @", "RENAME @ @", "SUBSCRIBE @", "UNSUBSCRIBE @", "LIST @ @", "LIST (@) @ (@ @) RETURN (@ @)",
	"LSUB @ @", "STATUS @ (@ @)", "APPEND @ @ {4+}\r\n\r\nab", "APPEND INBOX (\\Deleted @) {4+}\r\n\r\nab @ {3+}\r\nabc", "APPEND INBOX UTF8 (~{4+}\r\n\r\nab)",
	"FETCH @ @", "UID FETCH @ (@ @)", "FETCH @ (@ BODY[@]<@.@>)", "FETCH @ BINARY.PEEK[@]", "FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW)", "UID FETCH @ FLAGS (CHANGEDSINCE @ VANISHED)",
	"FETCH 1 BODY.PEEK[HEADER.FIELDS (@ @)]", "STORE @ @ @", "UID STORE @ +FLAGS (@ @)", "STORE @ (UNCHANGEDSINCE @) -FLAGS.SILENT (@)", "UID STORE 1:* +FLAGS.SILENT (\\Deleted)",
	"SEARCH @", "UID SEARCH @ @", "SEARCH RETURN (@ @) @ @", "SEARCH CHARSET @ TEXT @", "SEARCH OR @ (@ NOT @)", "SORT (@) UTF-8 @ @", "THREAD @ UTF-8 @", "UID SEARCH RETURN (SAVE @) @",
	"COPY @ @", "UID COPY @ INBOX", "MOVE @ @", "UID MOVE @ a", "EXPUNGE", "UID EXPUNGE @", "REPLACE @ @ {4+}\r\n\r\nab", "UID REPLACE @ INBOX {4+}\r\n\r\nab",
	"IDLE\r\nDONE", "ID (@ @)", "ID NIL", "GETQUOTA @", "GETQUOTAROOT @", "SETQUOTA @ (@ @)", "STARTTLS", "LOGIN @ @", "UNAUTHENTICATE @",
}

var fuzzArguments = []string{
	"INBOX", "a", "a/b", `""`, `"*"`, "%", "*", "{3+}\r\na/b", "~{2+}\r\n\x00a", `"a\"b"`, "&AOQ-", "\"\xc3\xa4\"", "(", ")", "()", "[", "$", "NIL", " ", "\\Seen", "\\Deleted", "\\Recent", "Work", "\\*",
	"1", "2:4", "*", "1:*", "*:1", "4294967295", "1:4294967295", "4294967295:*", "0", "1,2,3", "3,1:2", "99999999999999999999", "-1:-2", "9223372036854775807",
	"FLAGS", "+FLAGS", "-FLAGS.SILENT", "UID", "ALL", "FULL", "ENVELOPE", "BODY", "BODY[]", "BODYSTRUCTURE", "RFC822.SIZE", "INTERNALDATE", "MODSEQ", "EMAILID", "THREADID", "SAVEDATE", "PREVIEW", "PREVIEW (LAZY)",
	"BODY.PEEK[1.2.HEADER]", "BODY[HEADER.FIELDS.NOT (x)]<0.9>", "BINARY.SIZE[1]", "1.MIME", "HEADER", "TEXT",
	"SEEN", "OLD", "RECENT", "NOT", "OR", "SUBJECT x", "BODY b", "TEXT {1+}\r\nx", "HEADER To a", "SINCE 1-Feb-1994", "SENTON 7-Feb-1994", "LARGER 1", "OLDER 1", "MODSEQ 1", "UID 1:*", "KEYWORD Work",
	"MIN", "MAX", "COUNT", "SAVE", "PARTIAL 1:2", "PARTIAL -1:-2", "CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4rev2", "SUBSCRIBED", "RECURSIVEMATCH", "SPECIAL-USE", "CHILDREN", "STATUS (SIZE MESSAGES RECENT)",
	"MESSAGES", "UNSEEN", "UIDNEXT", "HIGHESTMODSEQ", "DELETED-STORAGE", "ARRIVAL", "REVERSE DATE", "SUBJECT", "REFERENCES", "ORDEREDSUBJECT", "US-ASCII", "\"17-Jul-1996 02:44:25 -0700\"",
}

// fuzzScript makes commands of choices, each with the tag t and its number.
func fuzzScript(choices []byte) (script string, n int) {
	next := func(limit int) int {
		if len(choices) == 0 {
			return 0
		}
		c := int(choices[0])
		choices = choices[1:]
		return c % limit
	}
	var b strings.Builder
	for len(choices) > 0 && n < 100 {
		fmt.Fprintf(&b, "t%d ", n)
		n++
		for _, c := range fuzzCommands[next(len(fuzzCommands))] {
			if c == '@' {
				b.WriteString(fuzzArguments[next(len(fuzzArguments))])
			} else {
				b.WriteRune(c)
			}
		}
		b.WriteString("\r\n")
	}
	return b.String(), n
}

// FuzzSession has sessions of octets, which are made commands or not, end without a panic
// and in time; each made command that was read gets one tagged response.
func FuzzSession(f *testing.F) {
	for i := range fuzzCommands {
		f.Add([]byte{7, 0, byte(i), byte(3 * i), byte(5 * i), byte(i), byte(7 * i), byte(11 * i), byte(i + 40), byte(2 * i)}, true, true)
	}
	f.Add([]byte("a1 LOGIN {5+}\r\nalice {11}\r\nopen sesame\r\na2 SELECT INBOX\r\na3 FETCH 1:* BODY[]\r\na4 IDLE\r\nDONE\r\na5 LOGOUT\r\n"), false, false)
	f.Add([]byte("a1 COMPRESS DEFLATE\r\nxxxxxx"), false, true)
	f.Add([]byte("a1 AUTHENTICATE PLAIN\r\n*\r\na2 AUTHENTICATE PLAIN =\r\na3 APPEND INBOX {9999999999+}\r\n"), false, false)
	f.Fuzz(func(t *testing.T, octets []byte, made, selected bool) {
		r := start(t, func(s *imap.Server) { s.MaxErrors = -1 })
		r.fill(multipart, "\r\n", "no header", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n")
		c := r.dial()
		if selected || made {
			c.do(`LOGIN alice "open sesame"`)
			c.do("SELECT INBOX")
		}
		script, n := string(octets), 0
		if made {
			script, n = fuzzScript(octets)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		go func() {
			io.WriteString(c, script)
			c.Conn.(interface{ CloseWrite() error }).CloseWrite()
		}()
		all, err := io.ReadAll(c.r)
		if err != nil {
			t.Errorf("the session does not end: %v", err)
		}
		if log := r.log.String(); strings.Contains(log, "panic") {
			t.Error(log)
		}
		if !made || strings.Contains(script, "UNAUTHENTICATE") {
			return
		}
		for i := range n {
			tag := "\r\nt" + strconv.Itoa(i) + " "
			if got := strings.Count("\r\n"+string(all), tag); got != 1 && !strings.Contains(string(all), "* BYE") {
				t.Errorf("%d responses to t%d of %q: %q", got, i, script, all)
			}
		}
	})
}
