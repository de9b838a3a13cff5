package pop3

// capa is CAPA (RFC 2449 section 5). But for STLS, which is listed while it is
// permitted (RFC 2595 section 4), the list is the same before and after login.
func (s *session) capa([][]byte) error {
	s.out.print("+OK Capabilities follow\r\n" +
		"TOP\r\n" +
		"UIDL\r\n" +
		"RESP-CODES\r\n" +
		"AUTH-RESP-CODE\r\n" + // RFC 3206 section 6
		"PIPELINING\r\n")
	if s.offersUser() {
		s.out.print("USER\r\n")
	}
	s.capaSASL()
	if s.offersTLS() {
		s.out.print("STLS\r\n")
	}
	s.out.print(".\r\n")
	return nil
}

// capaSASL lists the mechanisms, if there is one (RFC 5034 section 3).
func (s *session) capaSASL() {
	tag := "SASL"
	for _, m := range s.mechanisms() {
		if m.Plaintext && !s.mayShowPassword() {
			continue
		}
		s.out.print(tag, " ", m.Name)
		tag = ""
	}
	if tag == "" {
		s.out.print("\r\n")
	}
}
