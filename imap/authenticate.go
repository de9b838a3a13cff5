package imap

import (
	"encoding/base64"

	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/sasl"
)

const errCancelled badCommand = "Authentication cancelled"

// authenticate is AUTHENTICATE mechanism [initial-response] (RFC 9051 section 6.2.2,
// RFC 4959).
func (s *session) authenticate(p *wire.Parser) error {
	p.SP()
	name := p.Word()
	var initial []byte
	if p.More() {
		p.SP()
		initial = p.Base64()
	}
	if err := p.End(); err != nil {
		return err
	}
	m, ok := sasl.Find(s.mechanisms(), name)
	switch {
	case !ok:
		return &refusal{"CANNOT", "Unknown mechanism"}
	case m.Plaintext && !s.mayShowPassword():
		return errNeedsTLS
	}
	var response []byte // nil: no initial response
	var err error
	if initial != nil {
		if response, err = sasl.DecodeInitial(initial); err != nil {
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

// ask sends a challenge and reads the response to it, both in base64.
func (s *session) ask(challenge []byte) ([]byte, error) {
	s.out.Print("+ ", base64.StdEncoding.EncodeToString(challenge), "\r\n")
	l, err := s.in.Line()
	switch {
	case isRefused(err):
		return nil, refusedCommand(err)
	case err != nil:
		return nil, &lostConnection{err}
	case string(l) == "*":
		return nil, errCancelled
	}
	return l, nil
}
