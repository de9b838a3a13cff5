package smtp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailparts/mailparts"
)

// vrfyExtension is RFC 5321 section 3.5.2: VRFY is always there, and named where it
// tells something.
var vrfyExtension = extension{
	keyword: "VRFY",
	offer:   func(s *session, _ string) (string, bool) { return "", s.Verify != nil },
}

// vrfy is RFC 5321 sections 3.5 and 4.1.1.6.
func vrfy(s *session, arg string) error {
	if s.Verify == nil {
		s.out.reply(252, "2.0.0", "Cannot verify, but will accept a message and attempt delivery")
		return nil
	}
	return s.debugAddress(arg, func(name string) ([]string, error) {
		text, err := s.Verify(s.ctx, s.peer, name)
		return []string{text}, err
	})
}

// debugAddress answers VRFY or EXPN with what ask says, one mailbox on a line.
func (s *session) debugAddress(arg string, ask func(name string) ([]string, error)) error {
	if err := s.permitted(); err != nil {
		return err
	}
	name, utf8 := s.cutUTF8(arg)
	mailboxes, err := ask(name)
	switch {
	case s.affirm(err, 251, 252):
		return nil
	case err != nil:
		return err
	case len(mailboxes) == 0:
		return errNoMembers
	}
	lines := strings.Split(strings.Join(mailboxes, "\n"), "\n")
	for i, l := range lines {
		if !utf8 && !isASCII(l) { // RFC 6531 section 3.7.4.2
			s.out.reply(252, "2.6.8", "The reply needs SMTPUTF8 behind the name")
			return nil
		}
		if lines[i] = strings.Map(graphic, strings.ToValidUTF8(l, "?")); len(l) > maxReplyText {
			return fmt.Errorf("smtp: %.100q… is too long for a line of a reply", l)
		}
	}
	s.out.list(250, "2.1.5", lines)
	return nil
}

// cutUTF8 cuts the parameter of VRFY and EXPN by which a peer takes UTF-8 in the
// reply (RFC 6531 section 3.7.4.2).
func (s *session) cutUTF8(arg string) (name string, utf8 bool) {
	const param = " SMTPUTF8"
	if n := len(arg) - len(param); s.esmtp && n > 0 && strings.EqualFold(arg[n:], param) {
		return strings.TrimRight(arg[:n], " "), true
	}
	return arg, false
}

// affirm answers an err that is a positive reply after all: an *mailparts.Error
// whose Code is one of low to high.
func (s *session) affirm(err error, low, high int) bool {
	e, ok := errors.AsType[*mailparts.Error](err)
	if !ok || e.Code < low || e.Code > high {
		return false
	}
	status := e.EnhancedStatus()
	if !validStatus(status, e.Code) {
		status = "2.0.0"
	}
	s.out.reply(e.Code, status, e.Message)
	return true
}
