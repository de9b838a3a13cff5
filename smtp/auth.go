package smtp

import (
	"errors"
	"strings"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
	"github.com/mailparts/mailparts/sasl"
)

// authExtension is RFC 4954, with the mechanisms that may be used now.
var authExtension = extension{
	keyword: "AUTH",
	offer: func(s *session, _ string) (string, bool) {
		names := s.usable()
		return strings.Join(names, " "), len(names) > 0
	},
	stays: func(s *session) bool { return len(s.mechanisms()) > 0 },
	mail:  map[string]mailParam{"AUTH": paramAuth},
}

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
	if err := s.identify(func(p *mailparts.Peer) { p.User = user }); err != nil {
		return authError(err)
	}
	s.logger().Info("authenticated", "mechanism", m.Name)
	s.out.reply(235, "2.7.0", "Authentication successful")
	return nil
}

// safeFor reports whether m may be used here: what it shows, nobody else reads.
func (s *session) safeFor(m sasl.Mechanism) bool {
	return s.peer.TLS != nil || s.AllowInsecureAuth || !m.Plaintext
}

// usable is the mechanisms that a peer may use now.
func (s *session) usable() []string {
	if !s.secure() || s.peer.User != "" {
		return nil
	}
	var names []string
	for _, m := range s.mechanisms() {
		if s.safeFor(m) {
			names = append(names, m.Name)
		}
	}
	return names
}

func (s *session) mechanism(all []sasl.Mechanism, name string) (sasl.Mechanism, error) {
	m, ok := sasl.Find(all, name)
	switch {
	case !ok:
		return m, errNoMechanism
	case !s.safeFor(m):
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

// paramAuth is RFC 4954 section 5: whom a peer is not trusted to name is "<>".
func paramAuth(s *session, env *mailparts.Envelope, value string) error {
	text, ok := decodeXtext(value)
	if !ok || text == "" {
		return errParamSyntax
	}
	var sender mailparts.Address
	if text != "<>" {
		a, err := mailparts.ParseAddress(text)
		if err != nil {
			return errParamSyntax
		}
		if s.peer.Trusted {
			sender = a
		}
	}
	env.AuthSender = &sender
	return nil
}
