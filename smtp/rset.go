package smtp

// rset is RFC 5321 section 4.1.1.5.
func rset(s *session, _ string) error {
	s.reset()
	s.out.reply(250, "2.0.0", "OK")
	return nil
}
