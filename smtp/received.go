package smtp

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"time"

	"github.com/mailparts/mailparts"
)

// received is the field that a server prepends (RFC 5321 section 4.4).
func (s *session) received(now time.Time) []byte {
	env := s.tx.env
	b := make([]byte, 0, 256)
	b = appendStrings(b, "Received: from ", s.peer.Hello)
	if a := s.peer.Addr.Addr(); a.IsValid() {
		b = append(b, " ("...)
		b = appendAddressLiteral(b, a)
		b = append(b, ')')
	}
	b = appendStrings(b, "\r\n\tby ", s.hostname, " with ", s.transmission(s.peer, env.UTF8), " id ", env.ID)
	// One recipient only: a list of them would tell each of the others (RFC 5321 section 7.6).
	if len(s.tx.given) == 1 {
		b = appendStrings(b, "\r\n\tfor <", string(s.tx.given[0]), ">")
	}
	if t := s.peer.TLS; t != nil { // RFC 8314 section 4.3
		b = appendStrings(b, "\r\n\ttls ", tls.CipherSuiteName(t.CipherSuite), " (", tls.VersionName(t.Version), ")")
	}
	if env.Priority != 0 { // RFC 6710 section 4.1
		b = append(b, "\r\n\tpriority "...)
		b = strconv.AppendInt(b, int64(env.Priority), 10)
	}
	b = append(b, ";\r\n\t"...)
	b = now.AppendFormat(b, time.RFC1123Z)
	return append(b, "\r\n"...)
}

func appendStrings(b []byte, parts ...string) []byte {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// appendAddressLiteral is RFC 5321 section 4.1.3.
func appendAddressLiteral(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		b = append(b, '[')
	} else {
		b = append(b, "[IPv6:"...)
	}
	return append(a.WithZone("").AppendTo(b), ']')
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
