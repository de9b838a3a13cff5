package imap

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// listCommand is what LIST asks for (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154).
type listCommand struct {
	extended bool // in its syntax
	root     bool // the basic LIST "" "", which asks for the separator
	patterns patterns

	// Selection options. REMOTE selects nothing more: no mailbox is remote.
	subscribed, specialUse, recursive bool

	// Return options. Both selection options imply theirs.
	tell struct {
		subscribed, children, specialUse bool
		status                           []*statusItem // nil: no STATUS
	}
}

// list is LIST (RFC 9051 section 6.3.9).
func (s *session) list(p *wire.Parser) error {
	c := s.parseList(p)
	if err := p.End(); err != nil {
		return err
	}
	if c.root {
		s.out.Print("* LIST (\\Noselect) \"" + separator + "\" \"\"\r\n")
		return nil
	}
	l, err := s.gather(c)
	if err != nil {
		return err
	}
	l.choose(c)
	for _, n := range l.sorted() {
		if !n.due(c) {
			continue
		}
		numbers, err := s.listedNumbers(n, c)
		if err != nil {
			return err
		}
		s.tellListed(n, c)
		if numbers != nil {
			s.tellStatus(n.info.Name, numbers, c.tell.status)
		}
	}
	return nil
}

// tellListed sends LIST.
func (s *session) tellListed(n *listed, c *listCommand) {
	s.out.Print("* LIST ")
	s.out.Append(func(b []byte) []byte { return n.appendAttributes(b, c, s.enabled.rev2) })
	s.out.Print(` "` + separator + `" `)
	s.printName(n.info.Name)
	if c.recursive && n.below {
		s.out.Print(` ("CHILDINFO" (`)
		if c.subscribed {
			s.out.Print(`"SUBSCRIBED"`)
		}
		if c.subscribed && c.specialUse {
			s.out.Print(" ")
		}
		if c.specialUse {
			s.out.Print(`"SPECIAL-USE"`)
		}
		s.out.Print("))")
	}
	s.out.Print("\r\n")
}

// appendAttributes appends the mailbox attributes (RFC 9051 section 7.3.1). \NonExistent
// implies \Noselect, which is all that a client of the basic syntax knows.
func (n *listed) appendAttributes(b []byte, c *listCommand, rev2 bool) []byte {
	b = append(b, '(')
	from := len(b)
	add := func(attribute string, on bool) {
		if on {
			b = append(append(b, attribute...), ' ')
		}
	}
	add(`\NonExistent`, !n.exists && (c.extended || rev2))
	add(`\Noselect`, !n.exists && !c.extended && !rev2 || n.exists && n.info.NoSelect)
	add(`\Subscribed`, n.subscribed && c.tell.subscribed)
	add(`\HasChildren`, n.children && (c.tell.children || n.bare(c)))
	add(`\HasNoChildren`, !n.children && c.tell.children)
	for _, use := range n.info.Use {
		add(use, c.tell.specialUse && isFlag(mailparts.Flag(use)))
	}
	if len(b) > from {
		b = b[:len(b)-1]
	}
	return append(b, ')')
}

// bare reports whether n is a level of hierarchy that is no mailbox and is told of for what
// is below it. Without RECURSIVEMATCH only \HasChildren can say so (RFC 5258 section 3.5).
func (n *listed) bare(c *listCommand) bool { return !n.exists && !n.chosen && !c.recursive }

// listedNumbers are those of a mailbox for its STATUS, nil if it gets none: it was not
// asked for, or the mailbox does not satisfy the criteria. One that cannot be read, or is
// gone since it was listed, is \Noselect then (RFC 5819 section 2).
func (s *session) listedNumbers(n *listed, c *listCommand) (*statusNumbers, error) {
	if c.tell.status == nil || !n.chosen || !n.exists || n.info.NoSelect {
		return nil, nil
	}
	numbers, err := s.lookUp(n, c.tell.status)
	if err != nil {
		n.info.NoSelect = true
		return nil, unlessHidden(err)
	}
	return numbers, nil
}

// lookUp finds out the numbers of a mailbox, of which LIST may have found some.
func (s *session) lookUp(n *listed, items []*statusItem) (*statusNumbers, error) {
	mb, err := s.store.Mailbox(s.ctx, n.info.Name)
	if err != nil {
		return nil, err
	}
	if n.info.Status != nil {
		return s.statusNumbers(n.info.Name, mb, *n.info.Status, items)
	}
	st, err := mb.Status(s.ctx)
	if err != nil {
		return nil, err
	}
	return s.statusNumbers(n.info.Name, mb, st, items)
}

// allInfos lists the store's mailboxes, with their status if LIST tells many of them.
func (s *session) allInfos(c *listCommand) func(func(mailparts.MailboxInfo, error) bool) {
	if c.tell.status != nil && !c.patterns.fixed() {
		return mailparts.ListStatus(s.ctx, s.store)
	}
	return s.store.List(s.ctx)
}
