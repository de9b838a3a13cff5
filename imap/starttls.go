package imap

import "github.com/mailparts/mailparts/imap/internal/wire"

const errNoTLS badCommand = "TLS is not available"

// startTLS is STARTTLS (RFC 9051 section 6.2.1). What the client sent after it in
// plaintext is dropped, lest an attacker's commands be taken for the client's.
func (s *session) startTLS(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	if !s.offersTLS() {
		return errNoTLS
	}
	s.out.Print(s.tag, " OK Begin TLS\r\n")
	if err := s.out.Flush(); err != nil {
		return &lostConnection{err}
	}
	if err := s.conn.StartTLS(s.ctx, s.srv.TLSConfig); err != nil {
		return &lostConnection{err}
	}
	s.in.Reset(s)
	s.answered = true
	return nil
}
