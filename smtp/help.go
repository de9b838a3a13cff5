package smtp

// help is RFC 5321 section 4.1.1.8.
func help(s *session, _ string) error {
	hello := "EHLO HELO"
	if s.LMTP {
		hello = "LHLO"
	}
	s.out.reply(214, "2.0.0", "Commands:\n"+hello+" STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT")
	return nil
}
