package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

func TestMalformedCommands(t *testing.T) {
	tests := []struct{ name, command, reply string }{
		{"empty", ``, "500 5.5.2 Unknown command"},
		{"space", ` `, "500 5.5.2 Unknown command"},
		{"space before", ` NOOP`, "500 5.5.2 Unknown command"},
		{"unknown", `FOO bar`, "500 5.5.2 Unknown command"},
		{"a header field", `Subject: hello`, "500 5.5.2 Unknown command"},
		{"a dot", `.`, "500 5.5.2 Unknown command"},
		{"known", `ATRN example.com`, "502 5.5.1 Not implemented"},
		{"TURN", `TURN`, "502 5.5.1 Not implemented"},
		{"LMTP's", `LHLO a`, "500 This is SMTP: use EHLO"},
		{"no STARTTLS", `STARTTLS`, "502 5.5.1 STARTTLS is not offered"},
		{"no AUTH", `AUTH PLAIN`, "502 5.5.1 AUTH is not offered"},
		{"argument of RSET", `RSET now`, "501 5.5.4 This command takes no argument"},
		{"argument of DATA", `DATA now`, "501 5.5.4 This command takes no argument"},
		{"argument of QUIT", `QUIT now`, "501 5.5.4 This command takes no argument"},
		{"argument of NOOP", `NOOP ignored`, "250 2.0.0 OK"},
		{"lower case", `noop`, "250 2.0.0 OK"},
		{"trailing space", `NOOP  \t `, "250 2.0.0 OK"},
		{"trailing space of RSET", `RSET `, "250 2.0.0 OK"},
		{"NUL in the verb", `NO\x00OP`, "500 5.5.2 Unknown command"},
		{"8-bit verb", `NOOP\xff`, "500 5.5.2 Unknown command"},
		{"NUL", `NOOP a\x00b`, "501 5.5.2 Octets that do not belong in this command"},
		{"tab", `NOOP a\tb`, "501 5.5.2 Octets that do not belong in this command"},
		{"DEL", `NOOP a\x7fb`, "501 5.5.2 Octets that do not belong in this command"},
		{"8-bit", `NOOP a\xffb`, "501 5.5.2 Octets that do not belong in this command"},
		{"UTF-8", `NOOP ü`, "501 5.5.2 Octets that do not belong in this command"},
		{"8-bit MAIL", `MAIL FROM:<a\xff@example.org>`, "501 5.5.2 Octets that do not belong in this command"},
		{"NUL in MAIL", `MAIL FROM:<a\x00@example.org>`, "501 5.5.2 Octets that do not belong in this command"},
		{"CR in MAIL", `MAIL FROM:<a\r@example.org>`, "500 5.5.2 Lines end with CRLF: CR or LF alone"},
		{"CR alone", `NOOP\rNOOP`, "500 5.5.2 Lines end with CRLF: CR or LF alone"},
		{"CR CR LF", `NOOP\r`, "500 5.5.2 Lines end with CRLF: CR or LF alone"},
		{"as long as may be", `NOOP ` + strings.Repeat("x", 2041), "250 2.0.0 OK"},
		{"too long", `NOOP ` + strings.Repeat("x", 2042), "500 5.5.2 Line too long"},
		{"far too long", `NOOP ` + strings.Repeat("x", 100000), "500 5.5.2 Line too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// What follows shows that the session is in step and in the right state.
			play(t, &smtp.Server{Receiver: new(inbox)}, `
				G: EHLO
				C: `+test.command+`
				S: `+test.reply+`
				C: MAIL FROM:<a@example.org>
				S: 250 2.1.0 OK
			`)
		})
	}
}

// LF ends no line: neither what is before it nor what is after it is run, and
// both get one reply.
func TestBareLFInCommands(t *testing.T) {
	for _, l := range []string{
		`MAIL FROM:<a@example.org>\n`, `VRFY innocent\nMAIL FROM:<a@example.org>`, `\nMAIL FROM:<a@example.org>`,
		`NOOP\n\rMAIL FROM:<a@example.org>`, `NOOP\nNOOP\nMAIL FROM:<a@example.org>\r`,
	} {
		play(t, &smtp.Server{Receiver: new(inbox)}, `
			G: EHLO
			C: `+l+`
			S: 500 5.5.2 Lines end with CRLF: CR or LF alone
			C: RCPT TO:<b@example.com>
			S: 503 5.5.1 Need MAIL first
		`)
	}
}

// A line over the limit ends with CRLF, too.
func TestBareLFInALongLine(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox)}, `
		G: EHLO
		C: NOOP `+strings.Repeat("x", 20000)+`\nMAIL FROM:<a@example.org>\n`+strings.Repeat("x", 20000)+`
		S: 500 5.5.2 Line too long
		C: RCPT TO:<b@example.com>
		S: 503 5.5.1 Need MAIL first
	`)
}

func TestLineWithoutEnd(t *testing.T) {
	c := dialServer(t, &smtp.Server{Receiver: new(inbox)})
	c.play(t, `
		G: EHLO
	`)
	go func() {
		for range 2000 { // fails once the server hangs up
			c.Write(make([]byte, 1000))
		}
	}()
	c.play(t, `
		S: 421 4.5.2 Line without an end, closing the connection
		S!
	`)
}
