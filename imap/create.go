package imap

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// specialUses are those that a client may ask CREATE for (RFC 6154 section 2, RFC 8457).
var specialUses = []string{`\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Important`, `\Junk`, `\Sent`, `\Trash`}

// create is CREATE (RFC 9051 section 6.3.4, RFC 6154 section 3, RFC 8474 section 4.1).
func (s *session) create(p *wire.Parser) error {
	p.SP()
	name := s.mailboxName(p)
	uses, known := []string(nil), true
	if p.More() {
		p.SP()
		uses, known = parseUses(p)
	}
	if err := p.End(); err != nil {
		return err
	}
	if !known {
		return &refusal{"USEATTR", "No such special use"}
	}
	name = withoutEnd(name)
	made, err := s.newName(name)
	if err != nil {
		return err
	}
	m, ok := s.store.(mailparts.Manager)
	if !ok {
		return errors.ErrUnsupported
	}
	if err := m.Create(s.ctx, made, uses...); err != nil {
		if len(uses) > 0 && errors.Is(err, errors.ErrUnsupported) {
			return &coded{"USEATTR", err}
		}
		return err
	}
	s.tellOldName("", name, made)
	if id := s.mailboxID(made); id != "" {
		s.code = "MAILBOXID (" + id + ")"
	}
	return nil
}

// parseUses reads the parameters of CREATE (RFC 4466 section 2.2), of which there is USE
// alone. It reports whether all the uses are known.
func parseUses(p *wire.Parser) (uses []string, known bool) {
	known = true
	p.List(func() {
		if p.Word() != "USE" {
			p.Fail(wire.Error("Unknown CREATE parameter"))
			return
		}
		p.SP()
		p.List(func() {
			p.Expect('\\')
			use := spelled(specialUses, `\`+string(p.Atom()))
			switch {
			case use == "":
				known = false
			case !slices.Contains(uses, use):
				uses = append(uses, use)
			}
		})
	})
	return uses, known
}

// withoutEnd drops the separator that says that names are to be made below a name (RFC
// 9051 section 6.3.4): they can be anyway.
func withoutEnd(name string) string { return strings.TrimSuffix(name, separator) }

// newName is a name for a new mailbox, as it will be. Without modified UTF-7 it has to be
// Net-Unicode: clients of IMAP4rev2 are told what became of it (RFC 9051 sections 5.1 and
// 6.3.9.7), others are refused (RFC 9755 section 3). It is never INBOX, which is there, nor
// a name by which such a client would not find it again.
func (s *session) newName(name string) (string, error) {
	switch {
	case name == "INBOX":
		return "", mailparts.ErrExists
	case name == "":
		return "", mailparts.ErrBadName
	case !s.enabled.rev2 && !s.enabled.utf8:
		return name, nil
	case strings.ContainsFunc(name, isControl):
		return "", mailparts.ErrBadName
	case norm.NFC.IsNormalString(name):
		return name, nil
	case !s.enabled.rev2:
		return "", mailparts.ErrBadName
	case s.existing(name) == name:
		return "", mailparts.ErrExists
	}
	return norm.NFC.String(name), nil
}

// isControl tells what Net-Unicode names must not have (RFC 9755 section 3).
func isControl(r rune) bool {
	return r < ' ' || 0x7f <= r && r <= 0x9f || r == '\u2028' || r == '\u2029'
}

// spelled is a name in the spelling of a table, "" if it is not in it.
func spelled(table []string, name string) string {
	for _, t := range table {
		if strings.EqualFold(t, name) {
			return t
		}
	}
	return ""
}
