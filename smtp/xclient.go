package smtp

import "strings"

// xclientAttributes are those that there are, in Postfix's order. NAME and
// REVERSE_NAME are logged: a Peer has no name but the one in its EHLO.
var xclientAttributes = []string{"NAME", "ADDR", "PROTO", "HELO", "REVERSE_NAME", "PORT", "LOGIN", "DESTADDR", "DESTPORT"}

// xclientExtension is Postfix's XCLIENT_README, offered to XFrom.
var xclientExtension = extension{
	keyword: "XCLIENT",
	offer: func(s *session, _ string) (string, bool) {
		return strings.Join(xclientAttributes, " "), s.mayProxy()
	},
}

// xclient makes the peer the client that it speaks for, with that client's rights
// and no others, and begins the session anew. The addresses stay what they are
// made, also through STARTTLS: what comes next may be the client's own words. HELO,
// PROTO and LOGIN are of this command only.
func xclient(s *session, arg string) error {
	attrs, err := s.xcommand(arg, xclientAttributes)
	if err != nil {
		return err
	}
	proto := strings.ToUpper(attrs["PROTO"])
	if proto != "" && proto != "SMTP" && proto != "ESMTP" {
		return errXAttribute
	}
	remote, err := attrs.endpoint(s.remote, "ADDR", "PORT")
	if err != nil {
		return err
	}
	local, err := attrs.endpoint(s.local, "DESTADDR", "DESTPORT")
	if err != nil {
		return err
	}
	s.logger().Info("speaks for a client", "client", remote, "name", attrs.word("NAME"), "reverse", attrs.word("REVERSE_NAME"))
	s.reset()
	s.remote, s.local, s.esmtp = remote, local, proto == "ESMTP"
	p := s.newPeer()
	if p.TLS != nil { // its certificate is not the client's
		p.TLS.PeerCertificates, p.TLS.VerifiedChains = nil, nil
	}
	p.Hello, p.User = attrs.word("HELO"), attrs["LOGIN"]
	p.Protocol = s.transmission(p, false)
	s.peer = p
	s.greet()
	return nil
}
