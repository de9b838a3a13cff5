package pop3

import "strconv"

// dele is DELE msg (RFC 1939 section 5). It only marks: QUIT removes.
func (s *session) dele(args [][]byte) error {
	i, err := s.drop.number(args[0])
	if err != nil {
		return err
	}
	s.drop.mark(i)
	s.out.print("+OK Message ", strconv.Itoa(i+1), " deleted\r\n")
	return nil
}

// rset is RSET (RFC 1939 section 5).
func (s *session) rset([][]byte) error {
	s.drop.unmark()
	s.out.print("+OK The maildrop has ")
	s.totals()
	return nil
}
