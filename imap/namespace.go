package imap

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/utf7"
)

// namespace is NAMESPACE (RFC 2342 section 5): the user's own mailboxes have no prefix.
func (s *session) namespace(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	ns, err := mailparts.NamespacesOf(s.ctx, s.store)
	if err != nil {
		return err
	}
	s.out.Print("* NAMESPACE ")
	for i, prefixes := range [][]string{{""}, ns.Others, ns.Shared} {
		if i > 0 {
			s.out.Print(" ")
		}
		s.prefixes(prefixes)
	}
	s.out.Print("\r\n")
	return nil
}

// prefixes writes a Namespace of RFC 2342 section 6.
func (s *session) prefixes(prefixes []string) {
	if len(prefixes) == 0 {
		s.out.Print("NIL")
		return
	}
	s.out.Print("(")
	for _, prefix := range prefixes {
		if !s.enabled.utf8 && !s.enabled.rev2 {
			prefix = utf7.Encode(prefix)
		}
		s.out.Print("(")
		s.out.String(prefix)
		s.out.Print(` "` + separator + `")`)
	}
	s.out.Print(")")
}
