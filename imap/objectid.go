package imap

// mailboxID is the MAILBOXID of a mailbox, if it has one.
func (s *session) mailboxID(name string) string {
	mb, err := s.store.Mailbox(s.ctx, name)
	if err != nil {
		return ""
	}
	st, err := mb.Status(s.ctx)
	if err != nil {
		return ""
	}
	return st.ID
}
