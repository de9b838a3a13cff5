package wire

// Pattern reads the list-mailbox of LIST (RFC 9051 section 9): an astring, in which "%" and
// "*" need no quotes.
func (p *Parser) Pattern() []byte {
	if c := p.Peek(); c == '"' || c == '{' {
		return p.String()
	}
	i := 0
	for i < len(p.rest) && (isAString[p.rest[i]] || p.rest[i] == '%' || p.rest[i] == '*') {
		i++
	}
	t := p.rest[:i:i]
	p.rest = p.rest[i:]
	if i == 0 {
		p.Fail(Error("Expected a mailbox pattern"))
	}
	return t
}
