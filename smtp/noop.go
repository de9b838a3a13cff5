package smtp

// noop is RFC 5321 section 4.1.1.9. Its argument means nothing.
func noop(s *session, _ string) error {
	s.out.reply(250, "2.0.0", "OK")
	return nil
}
