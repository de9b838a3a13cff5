package smtp

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// The longest lines taken, CRLF included. RFC 5321 section 4.5.3.1.4 has 512
// octets for a command, to which the extensions here add some 550 (AUTH= of MAIL
// alone has 500); RFC 4954 section 4 asks for 12288 octets of base64 in AUTH.
const (
	maxCommandLine = 2048
	maxAuthLine    = 12288 + len("AUTH  \r\n") + 20 // 20: the longest mechanism name
)

// command is what a session can be told to do. run answers the peer itself or
// returns the error that refuses.
type command struct {
	run   func(s *session, arg string) error
	arg   argument
	utf8  bool // the argument may hold UTF-8: RFC 6531 section 3.3
	plain bool // its replies have no enhanced status: RFC 2034 section 3
	amid  amid // what it does between two chunks of BDAT
	junk  bool // it moves no mail: MaxJunk
	now   bool // its reply is not held back: RFC 2920 section 3.2, items 5 and 6
}

// argument says whether a command takes one.
type argument uint8

const (
	optional argument = iota
	none
	required
)

// amid says what becomes of a command between two chunks of a message (RFC 3030
// section 2).
type amid uint8

const (
	barred amid = iota // 503; the message goes on
	runs               // changes nothing: it is run, and the message goes on
	ends               // ends the message, and is then run
)

// commands is all that there is, in upper case.
var commands = map[string]command{
	"EHLO":     {run: ehlo, plain: true, amid: ends, junk: true, now: true},
	"HELO":     {run: helo, plain: true, amid: ends, junk: true, now: true},
	"LHLO":     {run: lhlo, plain: true, amid: ends, junk: true, now: true},
	"STARTTLS": {run: startTLS, arg: none},
	"XCLIENT":  {run: xclient, arg: required},
	"XFORWARD": {run: xforward, arg: required, junk: true},
	"AUTH":     {run: auth, arg: required},
	"MAIL":     {run: mail, arg: required, utf8: true},
	"RCPT":     {run: rcpt, arg: required, utf8: true},
	"DATA":     {run: data, arg: none, now: true},
	"BDAT":     {run: bdat, arg: required},
	"RSET":     {run: rset, arg: none, amid: ends, junk: true},
	"NOOP":     {run: noop, amid: runs, junk: true, now: true},
	"VRFY":     {run: vrfy, arg: required, utf8: true, amid: runs, junk: true, now: true},
	"EXPN":     {run: expn, arg: required, utf8: true, amid: runs, junk: true, now: true},
	"ETRN":     {run: etrn, arg: required, junk: true},
	"HELP":     {run: help, amid: runs, junk: true},
	"QUIT":     {run: quit, arg: none, amid: ends},

	// Known, and not implemented: 502 (RFC 5321 section 4.2.4).
	"ATRN": {run: notImplemented},
	"TURN": {run: notImplemented, now: true},
	"SEND": {run: notImplemented},
	"SOML": {run: notImplemented},
	"SAML": {run: notImplemented},
	"BURL": {run: notImplemented},

	// Of another protocol.
	"GET":     {run: http},
	"HEAD":    {run: http},
	"POST":    {run: http},
	"PUT":     {run: http},
	"PATCH":   {run: http},
	"DELETE":  {run: http},
	"CONNECT": {run: http},
	"OPTIONS": {run: http},
}

func notImplemented(*session, string) error { return errNotImplemented }

// execute runs one command line, and hangs up after one mistake too many.
func (s *session) execute(l []byte) {
	verb, cmd, arg, err := parseCommand(l)
	if err == nil && s.Receiver == nil && verb != "QUIT" {
		err = errNoMail
	}
	if s.barred != nil && verb != "QUIT" {
		err = s.barred
	}
	if err == nil && cmd.junk && s.tooMuchJunk() {
		err = errTooMuchJunk
	}
	if err == nil {
		err = cmd.run(s, arg)
	}
	lost, isLost := err.(lostError)
	switch {
	case err == nil:
	case isLost:
		s.lost(lost.error)
	case cmd.plain:
		s.refusePlain(verb, err)
	default:
		s.refuseCommand(verb, err)
	}
	if cmd.now || cmd.run == nil {
		s.out.flush()
	}
}

// tooMuchJunk counts a command that moves no mail.
func (s *session) tooMuchJunk() bool {
	s.junk++
	return s.maxJunk > 0 && s.junk > s.maxJunk
}

// refuseCommand answers a command that was not run. A peer that did not wait for
// the reply to DATA, the last of a group (RFC 2920 section 3.1), has its message
// behind it, and so has BDAT: the only way not to read that as commands is to hang
// up.
func (s *session) refuseCommand(verb string, err error) {
	s.refuse(verb, err)
	switch {
	case s.over:
	case verb == "DATA" && s.in.Pending():
		s.refuse("", errPipelined)
	case verb == "BDAT":
		s.refuse("", errChunk)
	case slices.Contains(httpMethods, verb):
		s.refuse("", errHTTP)
	}
}

// parseCommand cuts a line into a verb of the table and its argument. verb is ""
// for what is no command.
func parseCommand(l []byte) (verb string, cmd command, arg string, err error) {
	if len(l)+len("\r\n") > maxCommandLine {
		if verb = verbOf(l); verb != "AUTH" {
			return verb, command{}, "", errLineTooLong
		}
	}
	text := strings.TrimRight(string(l), " \t") // RFC 5321 section 4.1.1
	name, arg, _ := strings.Cut(text, " ")
	verb = strings.ToUpper(name)
	cmd, ok := commands[verb]
	if !ok {
		return verbOf(l), command{}, "", errUnknownCommand
	}
	switch {
	case hasControl(arg), !cmd.utf8 && !isASCII(arg), !utf8.ValidString(arg):
		return verb, cmd, "", errBadOctets
	case cmd.arg == none && arg != "":
		return verb, cmd, "", errUnwantedArgument
	case cmd.arg == required && arg == "":
		return verb, cmd, "", errMissingArgument
	}
	return verb, cmd, arg, nil
}

// verbOf is the command of the table that a line, whatever is wrong with it, was
// meant to be, or "".
func verbOf(l []byte) string {
	name := l
	if i := bytes.IndexAny(l, " \t\r\n"); i >= 0 {
		name = l[:i]
	}
	verb := strings.ToUpper(string(name))
	if _, ok := commands[verb]; !ok {
		return ""
	}
	return verb
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
