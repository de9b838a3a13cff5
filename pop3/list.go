package pop3

// list is LIST [msg] (RFC 1939 section 5).
func (s *session) list(args [][]byte) error {
	return s.listing(args, s.scanListing)
}

// scanListing writes the number and the size of messages[i].
func (s *session) scanListing(i int) {
	s.out.number(int64(i) + 1)
	s.out.print(" ")
	s.out.number(s.drop.messages[i].size)
	s.out.print("\r\n")
}

// listing answers LIST and UIDL: one line for the message that is asked for, or
// one for each.
func (s *session) listing(args [][]byte, line func(i int)) error {
	if len(args) > 0 {
		i, err := s.drop.number(args[0])
		if err != nil {
			return err
		}
		s.out.print("+OK ")
		line(i)
		return nil
	}
	s.out.print("+OK ")
	s.totals()
	for i := range s.drop.messages {
		if !s.drop.messages[i].deleted {
			line(i)
		}
	}
	s.out.print(".\r\n")
	return nil
}
