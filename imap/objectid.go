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

// hasObjectIDs says that OBJECTID is offered (RFC 8474 section 3): a store that gives INBOX
// an id gives one to all.
func (s *session) hasObjectIDs() bool { return s.mailboxID("INBOX") != "" }
