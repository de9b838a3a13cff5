package pop3

// retr is RETR msg (RFC 1939 section 5).
func (s *session) retr(args [][]byte) error {
	i, err := s.drop.number(args[0])
	if err != nil {
		return err
	}
	body, err := s.body(i)
	if err != nil {
		return err
	}
	defer body.Close()
	return s.send(body, func() {
		s.out.print("+OK ")
		s.out.number(s.drop.messages[i].size)
		s.out.print(" octets\r\n")
	})
}
