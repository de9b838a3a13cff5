package smtp

import (
	"strings"

	"github.com/mailparts/mailparts"
)

// ehlo is RFC 5321 section 4.1.1.1.
func ehlo(s *session, arg string) error {
	if s.LMTP {
		return errUseLHLO
	}
	return s.hello(arg, true)
}

// helo is its older form, without extensions.
func helo(s *session, arg string) error {
	if s.LMTP {
		return errUseLHLO
	}
	return s.hello(arg, false)
}

// lhlo is RFC 2033 section 4.1.
func lhlo(s *session, arg string) error {
	if !s.LMTP {
		return errUseEHLO
	}
	return s.hello(arg, true)
}

// hello greets, and ends an open transaction as RSET does (RFC 5321 section
// 4.1.4). name is not verified: RFC 5321 section 4.1.4 forbids to refuse mail for
// it. Where Admit refuses it, nothing changes.
func (s *session) hello(name string, extended bool) error {
	if !validHello(name) {
		return errBadHello
	}
	before := s.esmtp
	s.esmtp = extended
	if err := s.identify(func(p *mailparts.Peer) { p.Hello = name }); err != nil {
		s.esmtp = before
		return err
	}
	s.reset()
	if !extended {
		s.out.plain(250, s.hostname)
		return nil
	}
	s.out.hello(append([]string{s.hostname}, s.offers()...))
	return nil
}

// identify replaces the Peer by one that change was made to, if Admit lets it.
func (s *session) identify(change func(*mailparts.Peer)) error {
	p := *s.peer
	change(&p)
	p.Protocol = s.transmission(&p, false)
	if err := s.admit(&p); err != nil {
		return err
	}
	s.peer = &p
	return nil
}

// validHello accepts a domain, an address literal, and what broken clients say
// instead, as far as it can stand in a Received field.
func validHello(name string) bool {
	if name == "" || len(name) > 255 {
		return false
	}
	more := "-._"
	if n := len(name); n > 2 && name[0] == '[' && name[n-1] == ']' {
		name, more = name[1:n-1], "-._:"
	}
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
