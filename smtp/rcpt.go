package smtp

import (
	"strings"

	"github.com/mailparts/mailparts"
)

// rcpt is RFC 5321 section 4.1.1.3.
func rcpt(s *session, arg string) error {
	if s.tx == nil {
		return errMailFirst
	}
	to, err := s.parseRcpt(arg)
	if err != nil {
		return err
	}
	if s.maxRecipients > 0 && len(s.tx.given) >= s.maxRecipients {
		return errManyRcpts
	}
	given := to.Addr
	if err := s.tx.Rcpt(s.ctx, to); err != nil {
		return err
	}
	s.tx.env.To = append(s.tx.env.To, *to)
	s.tx.given = append(s.tx.given, given)
	s.out.reply(250, "2.1.5", "OK")
	return nil
}

func (s *session) parseRcpt(arg string) (*mailparts.Rcpt, error) {
	path, params, ok := cutPath(arg, "TO:")
	if !ok {
		return nil, errRcptSyntax
	}
	to := new(mailparts.Rcpt)
	if strings.EqualFold(path, "postmaster") { // RFC 5321 section 4.5.1
		to.Addr = "postmaster"
	} else {
		a, err := s.parsePath(path)
		if err != nil {
			return nil, errBadRecipient
		}
		to.Addr = a
	}
	if !s.tx.env.UTF8 && !to.Addr.IsASCII() {
		return nil, errNeedsUTF8
	}
	err := eachParam(params, func(keyword, value string) error {
		set := s.rcptParam(keyword)
		if set == nil {
			return errUnknownParam
		}
		return set(s, to, value)
	})
	if err != nil {
		return nil, err
	}
	return to, nil
}
