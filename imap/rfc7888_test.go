package imap_test

import (
	"context"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/sasl"
)

// RFC 7888 section 3.
func TestRFC7888(t *testing.T) {
	r := start(t, func(s *imap.Server) {
		s.Auth = sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
			if c.User == "FRED FOOBAR" && c.Password == "fat man" {
				return c.User, nil
			}
			return "", sasl.ErrDenied
		})
	})
	r.dial().play(`
		C: A001 LOGIN {11+}
		FRED FOOBAR {7+}
		fat man
		S: A001 OK [CAPABILITY ...
	`)
	r.dial().play(`
		C: A001 LOGIN "FRED FOOBAR" "fat man"
		S: A001 OK [CAPABILITY ...
	`)
}

// RFC 7888 section 3: the end of every line is looked at, of those that are no commands
// too. What they announce is run no more than what commands announce.
func TestRFC7888LinesThatAreNoCommands(t *testing.T) {
	c := start(t, nil).dial()
	c.play(`
		C: a1 AUTHENTICATE PLAIN
		S: + 
		C: a2 LOGIN {20+}
		x LOGOUT
		x LOGOUT
		 {10+}
		x LOGOUT

		S: a1 BAD ...
		C: a3 LOGIN alice "open sesame"
		S: a3 OK [CAPABILITY ...
		C: a4 IDLE
		S: + idling
		C: a5 APPEND INBOX {20+}
		x LOGOUT
		x LOGOUT

		S: a4 BAD Expected DONE
		C: a6 IDLE
		S: + idling
		C: ` + strings.Repeat("x", 40000) + ` {10+}
		x LOGOUT

		S: a6 BAD Command too long
		C: a7 IDLE
		S: + idling
		C: a8 LOGIN {5}
		S: a7 BAD Expected DONE
		C: a9 NOOP
		S: a9 OK NOOP completed
	`)
}
