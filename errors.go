package mailparts

import (
	"errors"
	"fmt"
	"strings"
)

// Error is an outcome that a peer, a bounce and a log can each tell. Code and
// Message go to the peer as they stand; Err goes to the log only. An error
// without an *Error in its chain is temporary, and the peer is told nothing of
// it.
type Error struct {
	Code    int    // 421, 4xx or 5xx
	Status  string // RFC 3463, "5.1.1"; "": x.0.0
	Message string // US-ASCII; "\n" separates the lines of a reply
	Host    string // the far side whose words these are; "": ours
	Err     error  // the cause, or nil
}

// Error is for logs: it tells the cause too.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Host != "" {
		b.WriteString(e.Host + ": ")
	}
	fmt.Fprintf(&b, "%d %s %s", e.Code, e.EnhancedStatus(), strings.ReplaceAll(e.Message, "\n", " / "))
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether trying again later may help.
func (e *Error) Temporary() bool { return e.Code/100 != 5 }

// EnhancedStatus is Status, or x.0.0 of Code's class.
func (e *Error) EnhancedStatus() string {
	if e.Status != "" {
		return e.Status
	}
	return fmt.Sprintf("%d.0.0", e.Code/100)
}

// AsError is the *Error in err's chain, or a temporary one around err whose
// Message tells nothing of it: what a peer and a bounce may see of err. Nil
// stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: 451, Status: "4.3.0", Message: "Temporary failure, please try again later", Err: err}
}

// RcptErrors has one result per Envelope.To. It has no Unwrap on purpose:
// errors.As must not take one recipient's refusal for everyone's.
type RcptErrors []error

// Error is for logs: it counts the failures and tells the first.
func (e RcptErrors) Error() string {
	var first error
	failed := 0
	for _, err := range e {
		if err != nil {
			if failed++; first == nil {
				first = err
			}
		}
	}
	if first == nil {
		return "no recipient failed"
	}
	return fmt.Sprintf("delivery failed for %d of %d recipients, first: %v", failed, len(e), first)
}

// Err is nil if no recipient failed, so that "return errs.Err()" is right.
func (e RcptErrors) Err() error {
	for _, err := range e {
		if err != nil {
			return e
		}
	}
	return nil
}

// RcptError is recipient i's part of what Deliver returned. It looks for
// RcptErrors at the top, never inside a wrap.
func RcptError(err error, i int) error {
	if es, ok := err.(RcptErrors); ok {
		if i < len(es) {
			return es[i]
		}
		return errMissingResult
	}
	return err
}

// errMissingResult is temporary, as all unknown errors are: a Deliverer that
// left a recipient out of its RcptErrors has not said that it took it.
var errMissingResult = errors.New("the deliverer gave no result for this recipient")

// ErrServerClosed is what Serve and ListenAndServe of every server return after
// Shutdown or Close.
var ErrServerClosed = errors.New("server closed")
