package imap

import (
	"unicode/utf8"

	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/utf7"
)

// What is wrong with a LIST.
const (
	errListOption wire.Error = "Unknown LIST option"
	errRecursive  wire.Error = "RECURSIVEMATCH needs another selection option"
	errPatterns   wire.Error = "Too many or too long patterns"
)

// parseList reads the arguments of LIST (RFC 9051 section 6.3.9).
func (s *session) parseList(p *wire.Parser) *listCommand {
	c := new(listCommand)
	p.SP()
	if p.Peek() == '(' {
		c.extended = true
		p.List(func() { c.selection(p) })
		if c.recursive && !c.subscribed && !c.specialUse {
			p.Fail(errRecursive)
		}
		p.SP()
	}
	reference := s.decodePattern(p, p.AString())
	p.SP()
	texts := s.parsePatterns(p, c)
	if p.More() {
		c.extended = true
		p.SP()
		if !p.TryWord("RETURN") {
			p.Fail(wire.Error("Expected RETURN"))
		}
		p.SP()
		p.List(func() { c.returned(p) })
	}
	if !c.extended {
		// The basic syntax tells what it knows without being asked: RFC 3348 section 3,
		// RFC 6154 section 2.
		c.root = len(texts) == 1 && texts[0] == ""
		c.tell.children, c.tell.specialUse = true, true
	}
	for _, t := range texts {
		if t != "" && !s.addPattern(&c.patterns, reference+t) { // RFC 9051 section 6.3.9: an empty one is ignored
			p.Fail(errPatterns)
		}
	}
	return c
}

// parsePatterns reads one pattern, or several in parentheses.
func (s *session) parsePatterns(p *wire.Parser, c *listCommand) (texts []string) {
	if p.Peek() != '(' {
		return []string{s.decodePattern(p, p.Pattern())}
	}
	c.extended = true
	p.List(func() {
		if len(texts) > maxPatterns {
			p.Fail(errPatterns)
			return
		}
		texts = append(texts, s.decodePattern(p, p.Pattern()))
	})
	if len(texts) == 0 {
		p.Fail(wire.Error("Expected a mailbox pattern"))
	}
	return texts
}

// selection reads a selection option (RFC 5258 section 3.1, RFC 6154 section 5.2).
func (c *listCommand) selection(p *wire.Parser) {
	switch p.Word() {
	case "SUBSCRIBED":
		c.subscribed, c.tell.subscribed = true, true
	case "SPECIAL-USE":
		c.specialUse, c.tell.specialUse = true, true
	case "RECURSIVEMATCH":
		c.recursive = true
	case "REMOTE":
	default:
		p.Fail(errListOption)
	}
}

// returned reads a return option (RFC 5258 section 3.2, RFC 6154 section 5.2, RFC 5819).
func (c *listCommand) returned(p *wire.Parser) {
	switch p.Word() {
	case "SUBSCRIBED":
		c.tell.subscribed = true
	case "CHILDREN":
		c.tell.children = true
	case "SPECIAL-USE":
		c.tell.specialUse = true
	case "STATUS":
		p.SP()
		c.tell.status = parseStatusItems(p)
	default:
		p.Fail(errListOption)
	}
}

// decodePattern is decodeName for a pattern or a reference, whose wildcards stand for
// themselves in modified UTF-7, too.
func (s *session) decodePattern(p *wire.Parser, raw []byte) string {
	text := string(raw)
	if !s.enabled.utf8 && !s.enabled.rev2 {
		if decoded, ok := utf7.Decode(text); ok {
			return decoded
		}
	}
	if !utf8.ValidString(text) {
		p.Fail(wire.Error("Mailbox name is not UTF-8"))
	}
	return text
}
