package pop3

// quit is QUIT: the end in AUTHORIZATION, and in TRANSACTION the UPDATE state
// (RFC 1939 section 6).
func (s *session) quit([][]byte) error {
	s.ended = true
	if s.state == authorization {
		s.out.print("+OK Goodbye\r\n")
		return nil
	}
	deleted := len(s.drop.messages) - s.drop.count
	if err := s.drop.remove(s.ctx); err != nil {
		return &failedUpdate{err}
	}
	s.log.Info("logged out", "user", s.account, "deleted", deleted)
	s.out.print("+OK Goodbye, the maildrop has ")
	s.totals()
	return nil
}
