package imap

import (
	"errors"
	"strings"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/serve"
	"github.com/mailparts/mailparts/sasl"
)

// badCommand is a command that cannot be, whatever is in the mailboxes; it is the text of
// BAD. MaxErrors counts them.
type badCommand string

func (e badCommand) Error() string { return string(e) }

// refusal is NO to a command that could be: its response code, without brackets, and its
// text.
type refusal struct{ code, text string }

func (e *refusal) Error() string { return e.text }

// coded is an error under a response code that its own would not have, such as TRYCREATE.
type coded struct {
	code string
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// failedLogin is a proof that was not good, or that nobody could judge. MaxLoginFailures
// counts them.
type failedLogin struct {
	mechanism string
	err       error
}

func (e *failedLogin) Error() string { return e.err.Error() }
func (e *failedLogin) Unwrap() error { return e.err }

// lostConnection ends the session. Nothing wraps it.
type lostConnection struct{ err error }

func (e *lostConnection) Error() string { return e.err.Error() }
func (e *lostConnection) Unwrap() error { return e.err }

// replies says what the errors of the vocabulary are on the wire (RFC 5530, RFC 9051
// section 7.1).
var replies = []struct {
	err        error
	code, text string
}{
	{sasl.ErrDenied, "AUTHENTICATIONFAILED", "Authentication failed"}, // the first: see replyTo
	{mailparts.ErrNoMailbox, "NONEXISTENT", "No such mailbox"},
	{mailparts.ErrNoMessage, "EXPUNGEISSUED", "Some messages are no longer there"},
	{mailparts.ErrExists, "ALREADYEXISTS", "The mailbox exists"},
	{mailparts.ErrBadName, "CANNOT", "A mailbox cannot have this name"},
	{mailparts.ErrReadOnly, "NOPERM", "The mailbox is read-only"},
	{mailparts.ErrPermission, "NOPERM", "Not permitted"},
	{mailparts.ErrQuota, "OVERQUOTA", "Over quota"},
	{mailparts.ErrLimit, "LIMIT", "Limit reached"},
	{mailparts.ErrLocked, "INUSE", "In use by another session"},
	{mailparts.ErrNoUser, "CONTACTADMIN", "There are no mailboxes for this user"},
	{errors.ErrUnsupported, "CANNOT", "Not supported by this mail store"},
}

// replyTo is the outcome, the response code and the text for err. Of an error that is
// not in the vocabulary the client learns only that trying again may help.
func replyTo(err error) (outcome, code, text string) {
	switch err := err.(type) {
	case badCommand:
		return "BAD", "", string(err)
	case wire.Error:
		return "BAD", "", string(err)
	case *refusal:
		return "NO", err.code, err.text
	case *coded:
		_, _, text = replyTo(err.err)
		return "NO", err.code, text
	case *failedLogin:
		if errors.Is(err, sasl.ErrMalformed) || errors.Is(err, gosasl.ErrUnexpectedClientResponse) {
			return "BAD", "", "Malformed authentication"
		}
		if errors.Is(err, sasl.ErrDenied) || errors.Is(err, mailparts.ErrNoUser) {
			return "NO", replies[0].code, replies[0].text // whatever else the Authenticator tells
		}
	}
	code, text = "UNAVAILABLE", "Temporary failure, please try again later"
	e, ok := errors.AsType[*mailparts.Error](err)
	if ok && !e.Temporary() {
		code = "CONTACTADMIN"
	}
	for _, r := range replies {
		if errors.Is(err, r.err) {
			code, text = r.code, r.text
			break
		}
	}
	if ok {
		text = oneLine(e.Message)
	}
	return "NO", code, text
}

// answer replies to a command that returned err, and does the accounts.
func (s *session) answer(err error) {
	outcome, code, text := "OK", s.code, s.text
	if text == "" {
		text = s.verb + " completed"
	}
	if err != nil {
		outcome, code, text = replyTo(err)
	}
	tag := s.tag
	if tag == "" {
		tag = "*"
	}
	s.out.Print(tag, " ", outcome, " ")
	switch {
	case err == nil && s.showCapabilities:
		s.out.Print("[CAPABILITY ")
		s.capabilities()
		s.out.Print("] ")
	case code != "":
		s.out.Print("[", code, "] ")
	}
	s.out.Print(text, "\r\n")
	s.account(err, outcome, code)
}

// account counts what a client does wrong, and logs what we do.
func (s *session) account(err error, outcome, code string) {
	if outcome != "BAD" {
		s.errors = 0
	}
	if login, ok := errors.AsType[*failedLogin](err); ok {
		s.failures++
		s.log.Warn("login failed", "mechanism", login.mechanism, "err", login.err)
		if limit := serve.Limit(s.srv.MaxLoginFailures, defaultMaxLoginFailures); limit > 0 && s.failures >= limit {
			s.bye("Too many failed logins")
		}
		return
	}
	switch {
	case outcome == "BAD":
		s.errors++
		limit := serve.Limit(s.srv.MaxErrors, defaultMaxErrors)
		if limit > 0 && s.state == notAuthenticated {
			limit = min(limit, maxErrorsBefore)
		}
		if limit > 0 && s.errors >= limit {
			s.log.Info("session ended after too many errors", "user", s.user, "last", err)
			s.bye("Too many errors")
		}
	case code == "UNAVAILABLE" || code == "CONTACTADMIN":
		s.log.Error("command failed", "user", s.user, "command", s.verb, "err", err)
	}
}

// maxText keeps the text of a response short.
const maxText = 450

// oneLine makes one line of US-ASCII of the Message of a mailparts.Error, whose "\n"
// separates lines.
func oneLine(message string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, message[:min(len(message), maxText)])
}
