package smtp

import (
	"strings"

	"github.com/mailparts/mailparts"
)

// etrnExtension is RFC 1985.
var etrnExtension = extension{
	keyword: "ETRN",
	offer:   func(s *session, _ string) (string, bool) { return "", s.Flush != nil },
}

// etrn is RFC 1985 section 5.
func etrn(s *session, arg string) error {
	switch {
	case s.Flush == nil:
		return errNotImplemented
	case s.peer.Hello == "":
		return errHelloFirst
	case s.tx != nil:
		return errETRNInMail
	}
	if err := s.permitted(); err != nil {
		return err
	}
	if !validNode(arg) {
		return errBadNode
	}
	err := s.Flush(s.ctx, s.peer, arg)
	if err != nil && !s.affirm(err, 251, 253) {
		return err
	}
	if err == nil {
		s.out.reply(250, "2.0.0", "OK, queuing for node "+arg+" started")
	}
	return nil
}

// validNode accepts a domain, "@" and a domain for all below it too, and "#" and
// the name of a queue (RFC 1985 sections 5 and 5.3). The domain is fully
// qualified: it has a dot.
func validNode(node string) bool {
	if queue, ok := strings.CutPrefix(node, "#"); ok {
		return queue != "" && !strings.Contains(queue, " ")
	}
	domain := strings.TrimPrefix(node, "@")
	_, err := mailparts.ParseAddress("node@" + domain)
	return err == nil && domain[0] != '[' && strings.Contains(domain, ".")
}
