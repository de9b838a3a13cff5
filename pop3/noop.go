package pop3

// noop is NOOP (RFC 1939 section 5).
func (s *session) noop([][]byte) error {
	s.out.print("+OK\r\n")
	return nil
}
