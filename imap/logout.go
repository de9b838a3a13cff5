package imap

import "github.com/mailparts/mailparts/imap/internal/wire"

// logout is LOGOUT (RFC 9051 section 6.1.3).
func (s *session) logout(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	s.box = nil
	s.out.Print("* BYE Logging out\r\n")
	s.ended = true
	return nil
}
