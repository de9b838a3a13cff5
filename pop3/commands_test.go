package pop3_test

import (
	"strings"
	"testing"
)

// TestExampleSession is RFC 1939 section 10, with USER and PASS for APOP and
// messages of the same sizes.
func TestExampleSession(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: one\r\n\r\n"+strings.Repeat("x", 102)+"\r\n", "Subject: two\r\n\r\n"+strings.Repeat("y", 182)+"\r\n")
	r.dial().talk(`
		C: USER alice
		S: +OK ...
		C: PASS open sesame
		S: +OK The maildrop has 2 messages (320 octets)
		C: STAT
		S: +OK 2 320
		C: LIST
		S: +OK 2 messages (320 octets)
		S: 1 120
		S: 2 200
		S: .
		C: RETR 1
		S: +OK 120 octets
		S: Subject: one
		S: 
		S: ` + strings.Repeat("x", 102) + `
		S: .
		C: DELE 1
		S: +OK Message 1 deleted
		C: RETR 2
		S: +OK 200 octets
		S: Subject: two
		S: 
		S: ` + strings.Repeat("y", 182) + `
		S: .
		C: DELE 2
		S: +OK Message 2 deleted
		C: QUIT
		S: +OK Goodbye, the maildrop has 0 messages (0 octets)
		S: EOF`)
	if n := r.left(); n != 0 {
		t.Errorf("%d messages left, want none", n)
	}
}

// TestCommands plays dialogues of the TRANSACTION state on a maildrop of three
// messages of 26 octets.
func TestCommands(t *testing.T) {
	for _, test := range []struct{ name, dialogue string }{
		{"STAT leaves out what is marked", `
			C: STAT
			S: +OK 3 78
			C: DELE 2
			S: +OK Message 2 deleted
			C: STAT
			S: +OK 2 52`},
		{"LIST of one", `
			C: LIST 2
			S: +OK 2 26
			C: LIST 4
			S: -ERR No such message
			C: LIST 0
			S: -ERR No such message
			C: DELE 2
			S: +OK Message 2 deleted
			C: LIST 2
			S: -ERR This message is marked as deleted`},
		{"LIST of all leaves out what is marked, and renumbers nothing", `
			C: DELE 2
			S: +OK Message 2 deleted
			C: LIST
			S: +OK 2 messages (52 octets)
			S: 1 26
			S: 3 26
			S: .`},
		{"UIDL", `
			C: UIDL
			S: +OK 3 messages (78 octets)
			S: 1 1.1
			S: 2 1.2
			S: 3 1.3
			S: .
			C: UIDL 2
			S: +OK 2 1.2
			C: UIDL 4
			S: -ERR No such message
			C: DELE 2
			S: +OK Message 2 deleted
			C: UIDL 2
			S: -ERR This message is marked as deleted
			C: UIDL
			S: +OK 2 messages (52 octets)
			S: 1 1.1
			S: 3 1.3
			S: .`},
		{"RETR takes the transparency dots that it needs", `
			C: RETR 1
			S: +OK 26 octets
			S: Subject: 1
			S: 
			S: ..
			S: ..two
			S: end
			S: .
			C: RETR 4
			S: -ERR No such message
			C: RETR 18446744073709551617
			S: -ERR No such message
			C: DELE 1
			S: +OK Message 1 deleted
			C: RETR 1
			S: -ERR This message is marked as deleted`},
		{"TOP", `
			C: TOP 1 0
			S: +OK Top of message follows
			S: Subject: 1
			S: 
			S: .
			C: TOP 1 1
			S: +OK Top of message follows
			S: Subject: 1
			S: 
			S: ..
			S: .
			C: TOP 1 99999999999999999999999
			S: +OK Top of message follows
			S: Subject: 1
			S: 
			S: ..
			S: ..two
			S: end
			S: .
			C: TOP 4 3
			S: -ERR No such message
			C: TOP 1 -1
			S: -ERR Not a number
			C: TOP 1
			S: -ERR Wrong number of arguments
			C: DELE 1
			S: +OK Message 1 deleted
			C: TOP 1 1
			S: -ERR This message is marked as deleted`},
		{"DELE", `
			C: DELE 3
			S: +OK Message 3 deleted
			C: DELE 3
			S: -ERR This message is marked as deleted
			C: DELE 4
			S: -ERR No such message
			C: DELE
			S: -ERR Wrong number of arguments`},
		{"RSET unmarks", `
			C: DELE 1
			S: +OK Message 1 deleted
			C: DELE 3
			S: +OK Message 3 deleted
			C: RSET
			S: +OK The maildrop has 3 messages (78 octets)
			C: LIST 1
			S: +OK 1 26
			C: QUIT
			S: +OK Goodbye, the maildrop has 3 messages (78 octets)
			S: EOF`},
		{"NOOP", `
			C: NOOP
			S: +OK`},
		{"keywords in any case, and forgiven spaces", `
			C: sTaT
			S: +OK 3 78
			C: list  2 
			S: +OK 2 26`},
		{"arguments", `
			C: STAT 1
			S: -ERR Wrong number of arguments
			C: LIST 1 2
			S: -ERR Wrong number of arguments
			C: RETR
			S: -ERR Wrong number of arguments
			C: RETR one
			S: -ERR Not a number
			C: RETR +1
			S: -ERR Not a number
			C: RETR 1.
			S: -ERR Not a number
			C: QUIT now
			S: -ERR Wrong number of arguments
			C: STAT
			S: +OK 3 78`},
		{"login commands are over", `
			C: USER alice
			S: -ERR Not permitted in this state
			C: PASS open sesame
			S: -ERR Not permitted in this state
			C: AUTH PLAIN
			S: -ERR Not permitted in this state
			C: STLS
			S: -ERR Not permitted in this state
			C: APOP alice c4c9334bac560ecc979e58001b3e22fb
			S: -ERR Unknown command`},
		{"a batch is answered in order", `
			C: STAT
			C: RETR 9
			C: DELE 1
			C: STAT
			C: XYZZY
			C: QUIT
			C: NOOP
			S: +OK 3 78
			S: -ERR No such message
			S: +OK Message 1 deleted
			S: +OK 2 52
			S: -ERR Unknown command
			S: +OK Goodbye, the maildrop has 2 messages (52 octets)
			S: EOF`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := start(t, nil)
			for _, n := range []string{"1", "2", "3"} {
				r.fill("Subject: " + n + "\r\n\r\n.\r\n.two\r\nend")
			}
			r.login().talk(test.dialogue)
		})
	}
}

func TestEmptyMaildrop(t *testing.T) {
	r := start(t, nil)
	r.login().talk(`
		C: STAT
		C: LIST
		C: UIDL
		C: RETR 1
		C: QUIT
		S: +OK 0 0
		S: +OK 0 messages (0 octets)
		S: .
		S: +OK 0 messages (0 octets)
		S: .
		S: -ERR No such message
		S: +OK Goodbye, the maildrop has 0 messages (0 octets)
		S: EOF`)
}

func TestBeforeLogin(t *testing.T) {
	r := start(t, nil)
	c := r.dial()
	for _, command := range []string{"STAT", "LIST", "UIDL 1", "RETR 1", "TOP 1 1", "DELE 1", "RSET", "NOOP"} {
		c.talk("C: " + command + "\nS: -ERR Not permitted in this state\nC: CAPA\nS: +OK ...")
		for c.line() != "." {
		}
	}
	c.talk(`
		C: QUIT
		S: +OK Goodbye
		S: EOF`)
}

// TestBadLines sends what no client should. The session goes on after each.
func TestBadLines(t *testing.T) {
	r := start(t, nil)
	r.fill("x\r\n")
	c := r.login()
	const lineEnd = "-ERR Lines end with CRLF, and hold no CR or LF"
	for _, test := range []struct{ name, raw, want string }{
		{"LF inside", "STAT\nDELE 1\r\n", lineEnd},
		{"LF and CR inside", "STAT\n\rDELE 1\nDELE 1\r\n", lineEnd},
		{"LF before the end", "STAT\n\r\n", lineEnd},
		{"CR inside", "STAT\rDELE 1\r\n", lineEnd},
		{"CRCRLF", "STAT\r\r\n", lineEnd},
		{"NUL", "STAT\x00\r\n", "-ERR Only printable US-ASCII is permitted"},
		{"8 bits", "RETR \xb9\r\n", "-ERR Only printable US-ASCII is permitted"},
		{"TAB", "LIST\t1\r\n", "-ERR Only printable US-ASCII is permitted"},
		{"empty", "\r\n", "-ERR Unknown command"},
		{"space first", " STAT\r\n", "-ERR Unknown command"},
		{"256 octets", "LIST 1" + strings.Repeat(" ", 248) + "\r\n", "-ERR Line too long"},
		{"255 octets", "LIST 1" + strings.Repeat(" ", 247) + "\r\n", "+OK 1 3"},
		{"20,000 octets", "LIST 1" + strings.Repeat(" ", 20000) + "\r\n", "-ERR Line too long"},
		{"half a command, then the rest", "ST", ""},
		{"", "AT\r\n", "+OK 1 3"},
	} {
		c.send(test.raw)
		if test.want != "" {
			if got := c.line(); got != test.want {
				t.Errorf("%s: got %q, want %q", test.name, got, test.want)
			}
		}
		if test.want == "" || strings.HasPrefix(test.want, "+") {
			continue
		}
		c.talk("C: STAT\nS: +OK 1 3")
	}
}

// TestTooManyErrors is ten in a row. What could have been is no error.
func TestTooManyErrors(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	for _, command := range []string{"NOOP\nS: +OK", "RETR 1\nS: -ERR No such message", "DELE 1\nS: -ERR No such message"} {
		for range 9 {
			c.talk("C: XYZZY\nS: -ERR Unknown command")
		}
		c.talk("C: " + command)
	}
	for range 9 {
		c.talk("C: XYZZY\nS: -ERR Unknown command")
	}
	c.talk(`
		C: XYZZY
		S: -ERR Unknown command; too many errors, closing the connection
		S: EOF`)
}

func TestCapabilities(t *testing.T) {
	r := start(t, nil)
	c := r.dial()
	const all = `
		C: CAPA
		` + capabilities + `
		S: USER
		S: SASL PLAIN LOGIN
		S: .`
	c.talk(all)
	c.login("alice")
	c.talk(all)
}
