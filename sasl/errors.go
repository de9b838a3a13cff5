package sasl

import (
	"errors"
	"fmt"
)

// ErrDenied means that the credentials prove nothing: wrong, unknown and locked
// out look alike. Any error that is neither ErrDenied nor ErrMalformed means that
// no one could tell now (454, NO [UNAVAILABLE], -ERR [SYS/TEMP]).
var ErrDenied = errors.New("sasl: authentication failed")

// ErrMalformed means that the client's message is not one of the mechanism: it
// has the wrong form, an empty field, a NUL, invalid UTF-8 or too many octets, or
// comes after the end of the exchange. It says nothing of any user (501, BAD,
// -ERR). Errors that match it tell what was wrong in their text, and never quote
// the client.
var ErrMalformed = errors.New("sasl: malformed message")

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
