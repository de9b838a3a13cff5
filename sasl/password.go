package sasl

import (
	"context"
	"strings"
	"unicode/utf8"
)

// maxField bounds a name and a password, in octets. RFC 4616 section 2 asks for
// 255 at least.
const maxField = 1024

// CheckPassword asks a whether c.Password is good for c.User, both as the client
// sent them, and returns the canonical name of the user. It is what PLAIN and
// LOGIN end in, and what a command that carries a password without an exchange
// calls (POP3's USER and PASS, IMAP's LOGIN): it refuses empty and overlong
// fields, NUL and invalid UTF-8 with ErrMalformed, prepares name and password
// (RFC 4616 section 2: what cannot be prepared is denied), and asks a.
func CheckPassword(ctx context.Context, a Authenticator, c Credentials) (user string, err error) {
	if c.User == "" || c.Password == "" {
		return "", malformed("empty user name or password")
	}
	for _, field := range []string{c.User, c.Password, c.Authzid} {
		if err := checkField(field); err != nil {
			return "", err
		}
	}
	if c.User, err = Prepare(c.User); err != nil {
		return "", ErrDenied
	}
	if c.Password, err = Prepare(c.Password); err != nil {
		return "", ErrDenied
	}
	c.Conn = orEmpty(c.Conn)
	return admitted(a.Authenticate(ctx, &c))
}

func checkField(s string) error {
	switch {
	case len(s) > maxField:
		return malformed("overlong field")
	case !utf8.ValidString(s):
		return malformed("invalid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		return malformed("NUL in a field")
	}
	return nil
}
