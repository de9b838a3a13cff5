package smtp

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// received is the field that a server prepends (RFC 5321 section 4.4).
func (s *session) received(now time.Time) string {
	env := s.tx.env
	var b strings.Builder
	b.WriteString("Received: from " + s.peer.Hello)
	if a := s.peer.Addr.Addr(); a.IsValid() {
		b.WriteString(" (" + addressLiteral(a) + ")")
	}
	fmt.Fprintf(&b, "\r\n\tby %s with %s id %s", s.hostname, s.transmission(s.peer, env.UTF8), env.ID)
	// One recipient only: a list of them would tell each of the others (RFC 5321 section 7.6).
	if len(s.tx.given) == 1 {
		fmt.Fprintf(&b, "\r\n\tfor <%s>", s.tx.given[0])
	}
	if t := s.peer.TLS; t != nil { // RFC 8314 section 4.3
		fmt.Fprintf(&b, "\r\n\ttls %s (%s)", tls.CipherSuiteName(t.CipherSuite), tls.VersionName(t.Version))
	}
	if env.Priority != 0 { // RFC 6710 section 4.1
		fmt.Fprintf(&b, "\r\n\tpriority %d", env.Priority)
	}
	b.WriteString(";\r\n\t" + now.Format(time.RFC1123Z) + "\r\n")
	return b.String()
}

// addressLiteral is RFC 5321 section 4.1.3.
func addressLiteral(a netip.Addr) string {
	if a.Is4() {
		return "[" + a.String() + "]"
	}
	return "[IPv6:" + a.WithZone("").String() + "]"
}

// transmission is the protocol that a message comes by: RFC 3848, and RFC 6531
// section 4.3 for utf8.
func (s *session) transmission(p *mailparts.Peer, utf8 bool) string {
	name := "ESMTP"
	switch {
	case s.LMTP && utf8:
		name = "UTF8LMTP"
	case s.LMTP:
		name = "LMTP"
	case utf8:
		name = "UTF8SMTP"
	case !s.esmtp:
		return "SMTP"
	}
	if p.TLS != nil {
		name += "S"
	}
	if p.User != "" {
		name += "A"
	}
	return name
}
