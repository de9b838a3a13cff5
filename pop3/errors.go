package pop3

import (
	"errors"
	"strings"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
)

// syntaxError is a command that cannot be, whatever is in the maildrop; it is
// the text of the reply. MaxErrors counts them.
type syntaxError string

func (e syntaxError) Error() string { return string(e) }

// refusal is a reply that says no to a command that could be; it is the text of
// the reply.
type refusal string

func (e refusal) Error() string { return string(e) }

// failedLogin is a proof that was not good, or that nobody could judge.
// MaxLoginFailures counts them.
type failedLogin struct {
	mechanism string
	err       error
}

func (e *failedLogin) Error() string { return e.err.Error() }
func (e *failedLogin) Unwrap() error { return e.err }

// failedUpdate is QUIT that could not remove all that is marked as deleted.
type failedUpdate struct{ err error }

func (e *failedUpdate) Error() string { return e.err.Error() }
func (e *failedUpdate) Unwrap() error { return e.err }

// lostConnection ends the session without a reply.
type lostConnection struct{ err error }

func (e *lostConnection) Error() string { return e.err.Error() }
func (e *lostConnection) Unwrap() error { return e.err }

// replies says what the errors of the vocabulary are on the wire. Response codes
// are those of RFC 2449 section 8.1 and RFC 3206.
var replies = []struct {
	err        error
	code, text string
}{
	{sasl.ErrDenied, "[AUTH] ", "Authentication failed"}, // the first: see replyTo
	{sasl.ErrMalformed, "", "Malformed authentication"},
	{gosasl.ErrUnexpectedClientResponse, "", "Malformed authentication"}, // such as an initial response where there is none
	{mailparts.ErrNoMessage, "", "No such message"},
	{mailparts.ErrLocked, "[IN-USE] ", "The maildrop is in use by another session"},
	{mailparts.ErrNoUser, "[SYS/PERM] ", "There is no maildrop for this user"},
	{mailparts.ErrPermission, "[SYS/PERM] ", "Not permitted"},
	{mailparts.ErrReadOnly, "[SYS/PERM] ", "The maildrop is read-only"},
}

// replyTo is what follows "-ERR " for err. Of an error that is not in the
// vocabulary the client learns only that trying again may help.
func replyTo(err error) (code, text string) {
	switch err := err.(type) {
	case syntaxError:
		return "", string(err)
	case refusal:
		return "", string(err)
	case *failedLogin:
		if errors.Is(err, sasl.ErrDenied) || errors.Is(err, mailparts.ErrNoUser) {
			return replies[0].code, replies[0].text // whatever else the Authenticator tells
		}
	case *failedUpdate:
		code, _ = replyTo(err.err)
		return code, "Some deleted messages were not removed"
	}
	code, text = "[SYS/TEMP] ", "Temporary failure, please try again later"
	e, ok := errors.AsType[*mailparts.Error](err)
	if ok && !e.Temporary() {
		code = "[SYS/PERM] "
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
	return code, text
}

// tooMany ends the last reply of a session that the server ends.
const tooMany = "; too many errors, closing the connection"

// maxText keeps a reply with its code and tooMany within 512 octets (RFC 1939
// section 3).
const maxText = 450

// oneLine makes one line of US-ASCII of the Message of a mailparts.Error, whose
// "\n" separates lines.
func oneLine(message string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, message[:min(len(message), maxText)])
}
