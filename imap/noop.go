package imap

import "github.com/mailparts/mailparts/imap/internal/wire"

// noop is NOOP and CHECK (RFC 9051 section 6.1.2, RFC 3501 section 6.4.1): what is new
// is told after every command.
func (s *session) noop(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	if s.box != nil {
		s.box.look = true
	}
	return nil
}
