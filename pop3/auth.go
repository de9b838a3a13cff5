package pop3

import (
	"bytes"
	"encoding/base64"
	"strings"

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
		if response, err = decodeInitial(args[1]); err != nil {
			return &failedLogin{m.Name, err}
		}
	}
	x := m.New(s.ctx, s.saslConn())
	for {
		challenge, done, err := x.Next(response)
		if err != nil {
			return &failedLogin{m.Name, err}
		}
		if done && x.User() == "" {
			return &failedLogin{m.Name, sasl.ErrDenied}
		}
		if done {
			return s.enter(x.User(), m.Name)
		}
		if response, err = s.ask(m, challenge); err != nil {
			return err
		}
	}
}

// mechanism finds one that may be used on this connection.
func (s *session) mechanism(name string) (*sasl.Mechanism, error) {
	for _, m := range s.mechanisms() {
		if !strings.EqualFold(m.Name, name) {
			continue
		}
		if m.Plaintext && !s.mayShowPassword() {
			return nil, errNeedsTLS
		}
		return &m, nil
	}
	return nil, errMechanism
}

// ask sends a challenge and reads the response to it.
func (s *session) ask(m *sasl.Mechanism, challenge []byte) ([]byte, error) {
	s.out.print("+ ", base64.StdEncoding.EncodeToString(challenge), "\r\n")
	l, err := s.readLine()
	if err != nil {
		return nil, err
	}
	if string(l) == "*" {
		return nil, errCancelled
	}
	response, err := decode(l)
	if err != nil {
		return nil, &failedLogin{m.Name, err}
	}
	return response, nil
}

// decodeInitial reads an initial response, where "=" is an empty one.
func decodeInitial(arg []byte) ([]byte, error) {
	if bytes.Equal(arg, []byte("=")) {
		return []byte{}, nil
	}
	return decode(arg)
}

// decode reads base64 and nothing else: "servers … MUST reject (and not ignore)
// any character not explicitly allowed" (RFC 5034 section 4). What it returns is
// not nil. A CR or LF, which package base64 would ignore, is in no line.
func decode(text []byte) ([]byte, error) {
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(raw, text)
	if err != nil {
		return nil, sasl.ErrMalformed // err may quote a secret
	}
	return raw[:n], nil
}
