package imap

import (
	"bytes"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// command is a row of the table of commands. Its run parses all arguments, each with the
// space before it, before it does anything; it answers with untagged responses, and leaves
// the tagged one to answer.
type command struct {
	in   state
	uid  bool // there is a UID form
	keep bool // while it runs without UID no message may be told to be expunged (RFC 9051 section 7.5.1)
	run  func(s *session, p *wire.Parser) error
}

const (
	anyState = notAuthenticated | authenticated | selectedState
	loggedIn = authenticated | selectedState
)

// commands are the commands.
var commands = map[string]*command{
	"CAPABILITY": {in: anyState, run: (*session).capability},
	"NOOP":       {in: anyState, run: (*session).noop},
	"LOGOUT":     {in: anyState, run: (*session).logout},

	"ID": {in: anyState, run: (*session).id},

	"STARTTLS":     {in: notAuthenticated, run: (*session).startTLS},
	"LOGIN":        {in: notAuthenticated, run: (*session).login},
	"AUTHENTICATE": {in: notAuthenticated, run: (*session).authenticate},

	"SELECT":  {in: loggedIn, run: (*session).selectMailbox},
	"EXAMINE": {in: loggedIn, run: (*session).examine},

	"FETCH": {in: selectedState, uid: true, keep: true, run: (*session).fetch},

	"SEARCH": {in: selectedState, uid: true, keep: true, run: (*session).search},
	"SORT":   {in: selectedState, uid: true, keep: true, run: (*session).sort},
	"THREAD": {in: selectedState, uid: true, keep: true, run: (*session).thread},

	"STORE":   {in: selectedState, uid: true, keep: true, run: (*session).setFlags},
	"COPY":    {in: selectedState, uid: true, run: (*session).copyMessages},
	"MOVE":    {in: selectedState, uid: true, run: (*session).move},
	"EXPUNGE": {in: selectedState, uid: true, run: (*session).expunge},
	"REPLACE": {in: selectedState, uid: true, run: (*session).replace},

	"CREATE":      {in: loggedIn, run: (*session).create},
	"DELETE":      {in: loggedIn, run: (*session).delete},
	"RENAME":      {in: loggedIn, run: (*session).rename},
	"SUBSCRIBE":   {in: loggedIn, run: (*session).subscribe},
	"UNSUBSCRIBE": {in: loggedIn, run: (*session).unsubscribe},
	"LIST":        {in: loggedIn, run: (*session).list},
	"LSUB":        {in: loggedIn, run: (*session).lsub},
	"STATUS":      {in: loggedIn, run: (*session).status},
	"NAMESPACE":   {in: loggedIn, run: (*session).namespace},

	"GETQUOTA":     {in: loggedIn, run: (*session).getQuota},
	"GETQUOTAROOT": {in: loggedIn, run: (*session).getQuotaRoot},
	"SETQUOTA":     {in: loggedIn, run: (*session).setQuota},

	"ENABLE":         {in: loggedIn, run: (*session).enable},
	"IDLE":           {in: loggedIn, run: (*session).idle},
	"COMPRESS":       {in: loggedIn, run: (*session).compress},
	"UNAUTHENTICATE": {in: loggedIn, run: (*session).unauthenticate},

	"APPEND": {in: loggedIn, run: (*session).appendMessages},

	"CHECK":    {in: selectedState, run: (*session).noop},
	"CLOSE":    {in: selectedState, run: (*session).close},
	"UNSELECT": {in: selectedState, run: (*session).unselect},
}

// What is wrong with a command line.
const (
	errTag       badCommand = "Malformed tag"
	errUnknown   badCommand = "Unknown command"
	errState     badCommand = "Not permitted in this state"
	errTooLong   badCommand = "Command too long"
	errLineEnd   badCommand = "Lines end with CRLF, and hold no CR or LF"
	errNoUIDForm badCommand = "No UID form of this command"
)

// isRefused reports whether err is of a command that was read and dropped.
func isRefused(err error) bool {
	return err == wire.ErrTooLong || err == wire.ErrLiteral || err == wire.ErrLineEnd
}

func refusedCommand(err error) error {
	if err == wire.ErrLineEnd {
		return errLineEnd
	}
	return errTooLong
}

// tagOf is the tag that a command begins with, or nothing.
func tagOf(text []byte) []byte {
	tag, _, ok := bytes.Cut(text, []byte(" "))
	if !ok || !isTag(tag) {
		return nil
	}
	return tag
}

// isTag tells 1*<any ASTRING-CHAR except "+"> (RFC 9051 section 9).
func isTag(b []byte) bool {
	p := wire.NewParser(b)
	t := p.AString()
	return p.End() == nil && len(t) == len(b) && len(b) <= 100 && bytes.IndexByte(b, '+') < 0 && b[0] != '"'
}

// begin reads the name of a command. It returns an error if the command cannot be run,
// whatever comes behind the name.
func (s *session) begin(p *wire.Parser) (c *command, verb string, byUID bool, err error) {
	verb = p.Word()
	if byUID = verb == "UID"; byUID {
		p.SP()
		verb = p.Word()
	}
	c = commands[verb]
	switch {
	case p.Err() != nil:
		err = p.Err()
	case c == nil:
		verb, err = "Command", errUnknown
	case c.in&s.state == 0:
		err = errState
	case byUID && !c.uid:
		err = errNoUIDForm
	}
	return c, verb, byUID, err
}

// execute runs the command on text.
func (s *session) execute(text []byte) error {
	tag, rest, _ := bytes.Cut(text, []byte(" "))
	if len(tag) == 0 || !isTag(tag) {
		return errTag
	}
	s.tag = string(tag)
	p := wire.NewParser(rest)
	c, verb, byUID, err := s.begin(p)
	if s.verb, s.byUID = verb, byUID; err != nil {
		return err
	}
	err = c.run(s, p)
	if _, lost := err.(*lostConnection); s.box != nil && !lost && !s.ended {
		s.update(!c.keep || s.byUID)
	}
	return err
}
