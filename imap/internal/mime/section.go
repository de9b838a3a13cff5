package mime

// Find returns the part with a number of IMAP's (RFC 9051 section 6.4.5.1), or nil: of
// what is no multipart, 1 is the body, and numbers below a message/rfc822 are those of
// its message. The empty path is the message itself.
func (p *Part) Find(path []int) *Part {
	entity := p
	for i, n := range path {
		if i > 0 {
			switch {
			case p.IsMessage() && len(p.Children) > 0:
				entity = p.Children[0]
			case p.IsMultipart():
				entity = p
			default:
				return nil
			}
		}
		switch {
		case entity.IsMultipart() && n >= 1 && n <= len(entity.Children):
			p = entity.Children[n-1]
		case !entity.IsMultipart() && n == 1:
			p = entity
		default:
			return nil
		}
	}
	return p
}

// Text is what follows the numbers in a section of BODY[…].
type Text uint8

// The texts of sections. HEADER.FIELDS is a HeaderFilter over that of Header.
const (
	All    Text = iota // BODY[], BODY[1]: a body if there is a number, else the message
	Header             // BODY[HEADER], BODY[1.HEADER]: of a message/rfc822's message
	Body               // BODY[TEXT], BODY[1.TEXT]: likewise
	MIME               // BODY[1.MIME]
)

// Section returns the octets of a section, and false if the message has none such: then
// BODY[…] is NIL.
func (p *Part) Section(path []int, t Text) (Range, bool) {
	found := p.Find(path)
	if found == nil {
		return Range{}, false
	}
	message := found
	if len(path) > 0 {
		if message = nil; found.IsMessage() && len(found.Children) > 0 {
			message = found.Children[0]
		}
	}
	switch {
	case t == All && len(path) == 0:
		return Range{p.Header.Offset, p.Header.Size + p.Body.Size}, true
	case t == All:
		return found.Body, true
	case t == MIME && len(path) > 0:
		return found.Header, true
	case t == Header && message != nil:
		return message.Header, true
	case t == Body && message != nil:
		return message.Body, true
	}
	return Range{}, false
}
