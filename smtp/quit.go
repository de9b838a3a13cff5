package smtp

// quit is RFC 5321 section 4.1.1.10.
func quit(s *session, _ string) error {
	s.out.reply(221, "2.0.0", s.hostname+" closing the connection")
	s.over, s.parting = true, true
	return nil
}
