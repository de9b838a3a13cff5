package imap

// objectID is an ID of a store's as it can be told of (RFC 8474 section 7), "" for what is
// none.
func objectID(id string) string {
	for i := range len(id) {
		if c := id[i]; c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return ""
		}
	}
	if len(id) > 255 {
		return ""
	}
	return id
}

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
	return objectID(st.ID)
}
