package smtp

import (
	"strings"

	"github.com/mailparts/mailparts"
)

// xforwardAttributes are those that there are, in Postfix's order. NAME, SOURCE
// and IDENT, the message's ID where it was before, are logged.
var xforwardAttributes = []string{"NAME", "ADDR", "PROTO", "HELO", "SOURCE", "PORT", "IDENT"}

// xforwardExtension is Postfix's XFORWARD_README, offered to XFrom.
var xforwardExtension = extension{
	keyword: "XFORWARD",
	offer: func(s *session, _ string) (string, bool) {
		return strings.Join(xforwardAttributes, " "), s.mayProxy()
	},
}

// xforward tells where the next message is from: Peer.Origin, to which each
// XFORWARD adds, until the transaction ends.
func xforward(s *session, arg string) error {
	attrs, err := s.xcommand(arg, xforwardAttributes)
	if err != nil {
		return err
	}
	origin := new(mailparts.Peer)
	if s.peer.Origin != nil {
		*origin = *s.peer.Origin
	}
	if origin.Addr, err = attrs.endpoint(origin.Addr, "ADDR", "PORT"); err != nil {
		return err
	}
	if _, told := attrs["HELO"]; told {
		origin.Hello = attrs.word("HELO")
	}
	if _, told := attrs["PROTO"]; told {
		origin.Protocol = attrs.word("PROTO")
	}
	s.setOrigin(origin)
	s.logger().Info("forwards", "origin", origin.Addr, "name", attrs.word("NAME"), "source", attrs.word("SOURCE"), "ident", attrs.word("IDENT"))
	s.out.reply(250, "2.0.0", "OK")
	return nil
}

func (s *session) setOrigin(origin *mailparts.Peer) {
	p := *s.peer
	p.Origin = origin
	s.peer = &p
}

// forgetOrigin is at the end of a transaction: of the next message the proxy may
// know nothing, and then it says nothing.
func (s *session) forgetOrigin() {
	if s.peer.Origin != nil {
		s.setOrigin(nil)
	}
}
