package smtp

import (
	"github.com/mailparts/mailparts"
)

// mail is RFC 5321 section 4.1.1.2.
func mail(s *session, arg string) error {
	switch {
	case s.peer.Hello == "":
		return errHelloFirst
	case s.tx != nil:
		return errNestedMail
	}
	if err := s.permitted(); err != nil {
		return err
	}
	env, err := s.parseMail(arg)
	if err != nil {
		return err
	}
	asked := env.Priority
	s.limitPriority(env)
	tx, err := s.Receiver.Mail(s.ctx, env)
	if err != nil {
		return err
	}
	s.tx = &transaction{Transaction: tx, env: env}
	s.replyMail(asked, env.Priority)
	return nil
}

// permitted refuses what must wait for TLS or AUTH: RFC 3207 section 4, RFC 4954
// section 6.
func (s *session) permitted() error {
	switch {
	case !s.secure():
		return errTLSFirst
	case s.RequireAuth && s.peer.User == "":
		return errAuthFirst
	}
	return nil
}

// parseMail makes an Envelope of MAIL's argument.
func (s *session) parseMail(arg string) (*mailparts.Envelope, error) {
	path, params, ok := cutPath(arg, "FROM:")
	if !ok {
		return nil, errMailSyntax
	}
	env := &mailparts.Envelope{ID: newID(), Peer: s.peer}
	if path != "" { // the null reverse-path: RFC 5321 section 4.5.5
		a, err := s.parsePath(path)
		if err != nil {
			return nil, errBadSender
		}
		env.From = a
	}
	err := eachParam(params, func(keyword, value string) error {
		set := s.mailParam(keyword)
		if set == nil {
			return errUnknownParam
		}
		return set(s, env, value)
	})
	if err != nil {
		return nil, err
	}
	if !env.By.Time.IsZero() && env.Hold.After(env.By.Time) { // RFC 4865 section 5.2.2
		return nil, errHeldTooLong
	}
	if !env.UTF8 {
		if !env.From.IsASCII() || env.AuthSender != nil && !env.AuthSender.IsASCII() {
			return nil, errSenderUTF8
		}
		return env, nil
	}
	p := *s.peer
	p.Protocol = s.transmission(&p, true)
	env.Peer = &p
	return env, nil
}
