package imap

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// lsub is LSUB (RFC 3501 section 6.3.9). It says nothing of the mailboxes: \Noselect
// means that a name is not subscribed, but something below it is.
func (s *session) lsub(p *wire.Parser) error {
	p.SP()
	reference := s.decodePattern(p, p.AString())
	p.SP()
	text := s.decodePattern(p, p.Pattern())
	if err := p.End(); err != nil {
		return err
	}
	if text == "" {
		s.out.Print("* LSUB (\\Noselect) \"" + separator + "\" \"\"\r\n")
		return nil
	}
	var ps patterns
	if !s.addPattern(&ps, reference+text) {
		return errPatterns
	}
	names, err := mailparts.Subscribed(s.ctx, s.store)
	if err != nil {
		return err
	}
	l := listing{}
	for _, name := range names {
		l.at(name).subscribed = true
		for above := range parents(name) {
			l.at(above).below = true
		}
	}
	for _, n := range l.sorted() {
		matches, level := ps.match(n.info.Name)
		switch {
		case matches && n.subscribed:
			s.out.Print("* LSUB () \"" + separator + "\" ")
		case level:
			s.out.Print("* LSUB (\\Noselect) \"" + separator + "\" ")
		default:
			continue
		}
		s.printName(n.info.Name)
		s.out.Print("\r\n")
	}
	return nil
}

// subscribe is SUBSCRIBE (RFC 9051 section 6.3.7).
func (s *session) subscribe(p *wire.Parser) error { return s.setSubscribed(p, true) }

// unsubscribe is UNSUBSCRIBE (RFC 9051 section 6.3.8).
func (s *session) unsubscribe(p *wire.Parser) error { return s.setSubscribed(p, false) }

// setSubscribed takes a name with the separator at its end for that without.
func (s *session) setSubscribed(p *wire.Parser, on bool) error {
	p.SP()
	name := s.mailboxName(p)
	if err := p.End(); err != nil {
		return err
	}
	name = withoutEnd(name)
	known := s.existing(name)
	if !on && known != name { // it may be on the list from other times
		if err := mailparts.Subscribe(s.ctx, s.store, name, false); err != nil {
			return err
		}
	}
	return mailparts.Subscribe(s.ctx, s.store, known, on)
}
