package pop3

const errNoTLS syntaxError = "TLS is not available"

// offersTLS reports whether STLS is permitted now.
func (s *session) offersTLS() bool {
	return s.srv.TLSConfig != nil && s.conn.TLS() == nil && s.state == authorization
}

// stls is STLS (RFC 2595 section 4). What the client sent after it in plaintext
// is dropped, lest an attacker's commands be taken for the client's. A name that
// USER gave is forgotten with every command.
func (s *session) stls([][]byte) error {
	if !s.offersTLS() {
		return errNoTLS
	}
	s.out.print("+OK Begin TLS\r\n")
	if err := s.out.flush(); err != nil {
		return &lostConnection{err}
	}
	if err := s.conn.StartTLS(s.ctx, s.srv.TLSConfig); err != nil {
		return &lostConnection{err}
	}
	s.in.Reset(s)
	return nil
}
