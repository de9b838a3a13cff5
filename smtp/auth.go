package smtp

import (
	"errors"
	"strings"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
	"github.com/mailparts/mailparts/sasl"
)

// auth is RFC 4954 section 4.
func auth(s *session, arg string) error {
	mechanisms := s.mechanisms()
	switch {
	case len(mechanisms) == 0:
		return errAuthNotOffered
	case !s.esmtp:
		return errEHLOFirst
	case !s.secure():
		return errTLSFirst
	case s.peer.User != "":
		return errAlreadyAuth
	case s.tx != nil:
		return errAuthInMail
	}
	name, initial, given := strings.Cut(arg, " ")
	m, err := s.mechanism(mechanisms, name)
	if err != nil {
		return err
	}
	var response []byte // nil: no initial response
	if given {
		if response, err = sasl.DecodeInitial([]byte(initial)); err != nil {
			return errBadBase64
		}
	}
	user, err := s.exchange(m, response)
	if err != nil {
		return err
	}
	s.identify(func(p *mailparts.Peer) { p.User = user })
	s.logger().Info("authenticated", "mechanism", m.Name)
	s.out.reply(235, "2.7.0", "Authentication successful")
	return nil
}

// offered is the list of EHLO, each name after a space. A mechanism that shows
// the secret is offered under TLS only.
func (s *session) offered() string {
	if !s.secure() || s.peer.User != "" {
		return ""
	}
	var names strings.Builder
	for _, m := range s.mechanisms() {
		if s.peer.TLS != nil || !m.Plaintext {
			names.WriteString(" " + m.Name)
		}
	}
	return names.String()
}

func (s *session) mechanism(all []sasl.Mechanism, name string) (sasl.Mechanism, error) {
	m, ok := sasl.Find(all, name)
	switch {
	case !ok:
		return m, errNoMechanism
	case m.Plaintext && s.peer.TLS == nil:
		return m, errWeakMechanism
	}
	return m, nil
}

// exchange runs m to its end and returns whom it admits.
func (s *session) exchange(m sasl.Mechanism, response []byte) (user string, err error) {
	x := m.New(s.ctx, &sasl.Conn{Protocol: s.protocol(), Remote: s.peer.Addr, TLS: s.peer.TLS})
	var asked error // the session's own, which is no outcome of x
	user, err = sasl.Run(x, response, func(challenge []byte) (response []byte, err error) {
		response, asked = s.ask(challenge)
		return response, asked
	})
	switch {
	case asked != nil:
		return "", asked
	case errors.Is(err, gosasl.ErrUnexpectedClientResponse):
		return "", errAuthInitial
	case err != nil:
		return "", authError(err)
	}
	return user, nil
}

// ask sends a challenge and returns the peer's response.
func (s *session) ask(challenge []byte) ([]byte, error) {
	s.out.challenge(challenge)
	l, err := s.readLine(maxAuthLine)
	switch {
	case errors.Is(err, line.ErrTooLong):
		return nil, errAuthTooLong
	case errors.Is(err, line.ErrBare):
		return nil, errBadBase64
	case err != nil:
		return nil, lostError{err}
	case string(l) == "*":
		return nil, errAuthCancelled
	}
	response, err := sasl.Decode(l)
	if err != nil {
		return nil, errBadBase64
	}
	return response, nil
}
