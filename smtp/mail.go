package smtp

import (
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// mail is RFC 5321 section 4.1.1.2.
func mail(s *session, arg string) error {
	switch {
	case s.peer.Hello == "":
		return errHelloFirst
	case s.tx != nil:
		return errNestedMail
	case !s.secure():
		return errTLSFirst
	case s.RequireAuth && s.peer.User == "":
		return errAuthFirst
	}
	env, err := s.parseMail(arg)
	if err != nil {
		return err
	}
	tx, err := s.Receiver.Mail(s.ctx, env)
	if err != nil {
		return err
	}
	s.tx = &transaction{Transaction: tx, env: env}
	s.out.reply(250, "2.1.0", "OK")
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
		a, err := parsePath(path)
		if err != nil {
			return nil, errBadSender
		}
		env.From = a
	}
	err := eachParam(params, func(keyword, value string) error {
		set, ok := mailParams[keyword]
		if !ok {
			return errUnknownParam
		}
		return set(s, env, value)
	})
	if err != nil {
		return nil, err
	}
	if !env.UTF8 {
		if !env.From.IsASCII() || env.AuthSender != nil && !env.AuthSender.IsASCII() {
			return nil, errNeedsUTF8
		}
		return env, nil
	}
	p := *s.peer
	p.Protocol = s.transmission(&p, true)
	env.Peer = &p
	return env, nil
}

// mailParams is what MAIL takes beside its path.
var mailParams = map[string]func(s *session, env *mailparts.Envelope, value string) error{
	"SIZE":     paramSize,
	"BODY":     paramBody,
	"SMTPUTF8": paramUTF8,
	"AUTH":     paramAuth,
}

// paramSize is RFC 1870 section 6: what is announced too big is refused now.
func paramSize(s *session, env *mailparts.Envelope, value string) error {
	if value == "" || len(value) > 20 || strings.Trim(value, "0123456789") != "" {
		return errParamSyntax
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || s.maxMessage > 0 && n > s.maxMessage {
		return errTooBig
	}
	env.Size = n
	return nil
}

// paramBody is RFC 6152 section 3.
func paramBody(_ *session, env *mailparts.Envelope, value string) error {
	switch strings.ToUpper(value) {
	case "7BIT":
	case "8BITMIME":
		env.Body = "8BITMIME"
	default:
		return errParamSyntax
	}
	return nil
}

// paramUTF8 is RFC 6531 section 3.4.
func paramUTF8(_ *session, env *mailparts.Envelope, value string) error {
	if value != "" {
		return errParamSyntax
	}
	env.UTF8 = true
	return nil
}

// paramAuth is RFC 4954 section 5: whom a peer is not trusted to name is "<>".
func paramAuth(s *session, env *mailparts.Envelope, value string) error {
	if len(s.mechanisms()) == 0 {
		return errUnknownParam
	}
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
