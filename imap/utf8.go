package imap

// headerOctets looks through the header of a message as it comes, for octets that are not
// US-ASCII: they are for clients of UTF8=ACCEPT (RFC 9755 section 4). The zero value stands
// at the beginning of a message.
type headerOctets struct {
	text  bool // on the line that has been begun
	ended bool
}

// has8bit reports whether one is in p, as far as p is of the header.
func (h *headerOctets) has8bit(p []byte) bool {
	if h.ended {
		return false
	}
	for _, c := range p {
		switch {
		case c >= 0x80:
			return true
		case c == '\n' && !h.text:
			h.ended = true
			return false
		case c == '\n':
			h.text = false
		case c != '\r':
			h.text = true
		}
	}
	return false
}
