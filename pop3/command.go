package pop3

import (
	"bytes"

	"github.com/mailparts/mailparts/internal/line"
)

// command is a row of the table of commands. run answers the client itself and
// returns nil, or leaves it to answer to reply to its error.
type command struct {
	in       state // where it is permitted
	min, max int   // number of arguments
	rest     bool  // its one argument is the rest of the line, spaces and all
	long     bool  // may exceed maxCommand
	run      func(s *session, args [][]byte) error
}

var commands = map[string]*command{
	"CAPA": {in: authorization | transaction, run: (*session).capa},
	"STLS": {in: authorization, run: (*session).stls},
	"USER": {in: authorization, min: 1, max: 1, run: (*session).user},
	"PASS": {in: authorization, min: 1, max: 1, rest: true, run: (*session).pass},
	"AUTH": {in: authorization, min: 1, max: 2, long: true, run: (*session).auth},
	"STAT": {in: transaction, run: (*session).stat},
	"LIST": {in: transaction, max: 1, run: (*session).list},
	"UIDL": {in: transaction, max: 1, run: (*session).uidl},
	"RETR": {in: transaction, min: 1, max: 1, run: (*session).retr},
	"TOP":  {in: transaction, min: 2, max: 2, run: (*session).top},
	"DELE": {in: transaction, min: 1, max: 1, run: (*session).dele},
	"RSET": {in: transaction, run: (*session).rset},
	"NOOP": {in: transaction, run: (*session).noop},
	"QUIT": {in: authorization | transaction, run: (*session).quit},
}

// What is wrong with a command line.
const (
	errUnknown    syntaxError = "Unknown command"
	errState      syntaxError = "Not permitted in this state"
	errArguments  syntaxError = "Wrong number of arguments"
	errCharacters syntaxError = "Only printable US-ASCII is permitted"
	errLineEnd    syntaxError = "Lines end with CRLF, and hold no CR or LF"
	errLength     syntaxError = "Line too long"
)

// readLine reads the next line, for which the client has until the autologout
// timer expires. AUTH's may be long, and that it is one is known only when it has
// been read.
func (s *session) readLine() ([]byte, error) {
	s.conn.Within(s.timeout)
	l, err := s.in.ReadLine(maxAuth)
	switch err {
	case nil:
		return l, nil
	case line.ErrBare:
		return nil, errLineEnd
	case line.ErrTooLong:
		return nil, errLength
	}
	return nil, &lostConnection{err}
}

// execute runs the command on a line.
func (s *session) execute(l []byte) error {
	name := s.name
	s.name = "" // RFC 1939 section 7: PASS comes "immediately after" USER
	if !printable(l) {
		return errCharacters
	}
	verb, rest, _ := bytes.Cut(l, []byte(" "))
	c := lookup(verb)
	switch {
	case len(l)+len("\r\n") > maxCommand && (c == nil || !c.long):
		return errLength
	case c == nil:
		return errUnknown
	case c.in&s.state == 0:
		return errState
	}
	args, ok := s.split(rest, c)
	if !ok {
		return errArguments
	}
	if c.rest {
		s.name = name
	}
	return c.run(s, args)
}

// lookup finds a command in any mixture of cases, or nil.
func lookup(verb []byte) *command {
	var upper [4]byte
	if len(verb) > len(upper) {
		return nil
	}
	for i, c := range verb {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	return commands[string(upper[:len(verb)])]
}

// split returns c's arguments, or false if there are too few or too many. It
// forgives additional spaces, which RFC 1939 section 3 does not know.
func (s *session) split(rest []byte, c *command) (args [][]byte, ok bool) {
	args = s.args[:0]
	if c.rest {
		if len(rest) > 0 {
			args = append(args, rest)
		}
		return args, len(args) == 1
	}
	for len(rest) > 0 && len(args) <= c.max {
		var arg []byte
		arg, rest, _ = bytes.Cut(rest, []byte(" "))
		if len(arg) > 0 {
			args = append(args, arg)
		}
	}
	return args, c.min <= len(args) && len(args) <= c.max
}

// printable tells what RFC 1939 section 3 permits in a command.
func printable(l []byte) bool {
	for _, c := range l {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
