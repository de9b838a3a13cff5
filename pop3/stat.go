package pop3

// stat is STAT (RFC 1939 section 5).
func (s *session) stat([][]byte) error {
	s.out.print("+OK ")
	s.out.number(int64(s.drop.count))
	s.out.print(" ")
	s.out.number(s.drop.size)
	s.out.print("\r\n")
	return nil
}

// totals ends a reply with how much is in the maildrop.
func (s *session) totals() {
	s.out.number(int64(s.drop.count))
	s.out.print(" messages (")
	s.out.number(s.drop.size)
	s.out.print(" octets)\r\n")
}
