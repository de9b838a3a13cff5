package smtp

// vrfy is RFC 5321 sections 3.5 and 4.1.1.6.
func vrfy(s *session, arg string) error {
	if s.Verify == nil {
		s.out.reply(252, "2.0.0", "Cannot verify, but will accept a message and attempt delivery")
		return nil
	}
	text, err := s.Verify(s.ctx, s.peer, arg)
	if err != nil {
		return err
	}
	s.out.reply(250, "2.1.5", text)
	return nil
}
