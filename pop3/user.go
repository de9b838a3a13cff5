package pop3

import "github.com/mailparts/mailparts/sasl"

// offersUser reports whether USER and PASS are offered.
func (s *session) offersUser() bool { return s.srv.Auth != nil && s.mayShowPassword() }

// user is USER name (RFC 1939 section 7). Whether there is such a user is not
// told before the password.
func (s *session) user(args [][]byte) error {
	switch {
	case s.srv.Auth == nil:
		return errUnknown
	case !s.mayShowPassword():
		return errNeedsTLS
	}
	s.name = string(args[0])
	s.out.print("+OK Send PASS\r\n")
	return nil
}

const (
	errNeedsTLS syntaxError = "Not permitted without TLS"
	errNoName   syntaxError = "Send USER first"
)

// pass is PASS string (RFC 1939 section 7). Spaces are part of the password.
func (s *session) pass(args [][]byte) error {
	if s.name == "" {
		return errNoName
	}
	name := s.name
	s.name = ""
	user, err := sasl.CheckPassword(s.ctx, s.srv.Auth, sasl.Credentials{
		Mechanism: "USER", // as in CAPA
		User:      name,
		Password:  string(args[0]),
		Conn:      s.saslConn(),
	})
	if err != nil {
		return &failedLogin{"USER", err}
	}
	return s.enter(user, "USER")
}
