package pop3

import (
	"encoding/base64"

	"github.com/mailparts/mailparts/sasl"
)

// mechanisms is what AUTH knows. Not all of it is offered without TLS.
func (s *session) mechanisms() []sasl.Mechanism {
	if s.srv.Mechanisms != nil {
		return s.srv.Mechanisms
	}
	return sasl.Mechanisms(s.srv.Auth)
}

const (
	errMechanism syntaxError = "Unknown mechanism"
	errCancelled syntaxError = "Authentication cancelled"
)

// auth is AUTH mechanism [initial-response] (RFC 5034 section 4).
func (s *session) auth(args [][]byte) error {
	m, err := s.mechanism(string(args[0]))
	if err != nil {
		return err
	}
	var response []byte // nil: no initial response
	if len(args) > 1 {
		if response, err = sasl.DecodeInitial(args[1]); err != nil {
			return &failedLogin{m.Name, err}
		}
	}
	var asked error // the session's own, which proves nothing
	user, err := sasl.Run(m.New(s.ctx, s.saslConn()), response, func(challenge []byte) (l []byte, err error) {
		if l, asked = s.ask(challenge); asked != nil {
			return nil, asked
		}
		return sasl.Decode(l)
	})
	switch {
	case asked != nil:
		return asked
	case err != nil:
		return &failedLogin{m.Name, err}
	}
	return s.enter(user, m.Name)
}

// mechanism finds one that may be used on this connection.
func (s *session) mechanism(name string) (m sasl.Mechanism, err error) {
	m, ok := sasl.Find(s.mechanisms(), name)
	switch {
	case !ok:
		return m, errMechanism
	case m.Plaintext && !s.mayShowPassword():
		return m, errNeedsTLS
	}
	return m, nil
}

// ask sends a challenge and reads the response to it, both in base64.
func (s *session) ask(challenge []byte) ([]byte, error) {
	s.out.print("+ ", base64.StdEncoding.EncodeToString(challenge), "\r\n")
	l, err := s.readLine()
	if err == nil && string(l) == "*" {
		err = errCancelled
	}
	return l, err
}
