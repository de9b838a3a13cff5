package imap

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// listed is a name that LIST may have to tell of: a mailbox, one that is subscribed, or
// what stands above one of these in the hierarchy.
type listed struct {
	info       mailparts.MailboxInfo
	exists     bool // it is not just a name
	subscribed bool
	children   bool // mailboxes are below it

	matches bool // a pattern
	level   bool // a pattern that ends in "%"
	chosen  bool // satisfies the selection criteria
	below   bool // what satisfies them is below it
	hidden  bool // and of that something matches no pattern
}

// listing is the names by name.
type listing map[string]*listed

// gather collects all names.
func (s *session) gather(c *listCommand) (listing, error) {
	l := listing{}
	for info, err := range s.allInfos(c) {
		if err != nil {
			return nil, err
		}
		n := l.at(info.Name)
		n.info, n.exists = info, true
	}
	if c.tell.subscribed {
		names, err := mailparts.Subscribed(s.ctx, s.store)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			l.at(name).subscribed = true
		}
	}
	for _, n := range slices.Collect(maps.Values(l)) {
		for above := range parents(n.info.Name) {
			up := l.at(above)
			up.children = up.children || n.exists
		}
	}
	return l, nil
}

// at is the entry of a name.
func (l listing) at(name string) *listed {
	n := l[name]
	if n == nil {
		n = &listed{info: mailparts.MailboxInfo{Name: name}}
		l[name] = n
	}
	return n
}

// parents yields the names above a name, the nearest first.
func parents(name string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for {
			i := strings.LastIndex(name, separator)
			if i <= 0 {
				return
			}
			if name = name[:i]; !yield(name) {
				return
			}
		}
	}
}

// choose finds out what satisfies the selection criteria, and what is above it.
func (l listing) choose(c *listCommand) {
	for name, n := range l {
		n.matches, n.level = c.patterns.match(name)
		n.chosen = n.exists
		if c.subscribed {
			n.chosen = n.subscribed
		}
		if c.specialUse {
			n.chosen = n.chosen && len(n.info.Use) > 0
		}
	}
	if !c.recursive {
		return
	}
	for name, n := range l {
		if !n.chosen {
			continue
		}
		for above := range parents(name) {
			up := l.at(above)
			up.below = true
			up.hidden = up.hidden || !n.matches
		}
	}
}

// due reports whether LIST tells of n. What does not satisfy the criteria it tells of for
// the sake of what is below and matches no pattern (RFC 5258 section 3.5), or if it is a
// level of hierarchy that the basic LIST asks for (RFC 9051 section 6.3.9).
func (n *listed) due(c *listCommand) bool {
	switch {
	case !n.matches:
		return false
	case n.chosen:
		return true
	case c.recursive:
		return n.hidden
	}
	return n.level && n.children && !n.exists && !c.subscribed && !c.specialUse
}

// sorted is the names in their order, INBOX first.
func (l listing) sorted() []*listed {
	return slices.SortedFunc(maps.Values(l), func(a, b *listed) int {
		switch {
		case a.info.Name == "INBOX":
			return -1
		case b.info.Name == "INBOX":
			return 1
		}
		return strings.Compare(a.info.Name, b.info.Name)
	})
}

// unlessHidden is nil for the errors of a mailbox that is no longer there, or not for the
// user to read.
func unlessHidden(err error) error {
	if errors.Is(err, mailparts.ErrNoMailbox) || errors.Is(err, mailparts.ErrPermission) {
		return nil
	}
	return err
}
