package imap

import (
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// systemFlags are those that every mailbox has (RFC 9051 section 2.3.2).
var systemFlags = []mailparts.Flag{mailparts.FlagAnswered, mailparts.FlagFlagged, mailparts.FlagDeleted, mailparts.FlagSeen, mailparts.FlagDraft}

// parseFlags reads flags in parentheses. \Recent cannot be set, and is left out.
func parseFlags(p *wire.Parser) (flags []mailparts.Flag) {
	p.List(func() { flags = addFlag(p, flags) })
	return flags
}

// parseFlagsBare reads flags in parentheses or without (RFC 9051 section 6.4.6).
func parseFlagsBare(p *wire.Parser) (flags []mailparts.Flag) {
	if p.Peek() == '(' {
		return parseFlags(p)
	}
	flags = addFlag(p, nil)
	for p.Err() == nil && p.More() {
		p.SP()
		flags = addFlag(p, flags)
	}
	return flags
}

// maxFlags bounds the flags of one command.
const maxFlags = 256

func addFlag(p *wire.Parser, flags []mailparts.Flag) []mailparts.Flag {
	slash := p.Try('\\')
	name := string(p.Atom())
	if slash {
		name = `\` + name
		if strings.EqualFold(name, `\Recent`) {
			return flags
		}
		i := slices.IndexFunc(systemFlags, func(f mailparts.Flag) bool { return strings.EqualFold(string(f), name) })
		if i < 0 {
			if p.Err() == nil {
				p.Fail(wire.Error("No such system flag"))
			}
			return flags
		}
		name = string(systemFlags[i])
	}
	if len(flags) == maxFlags {
		p.Fail(wire.Error("Too many flags"))
		return flags
	}
	return append(flags, mailparts.Flag(name))
}

// isFlag reports whether a flag of a store can be told of: a word, perhaps with a
// backslash, or \*. What is none would break the response that it stands in.
func isFlag(f mailparts.Flag) bool {
	word := strings.TrimPrefix(string(f), `\`)
	if len(word) < len(f) && word == "*" {
		return true
	}
	for i := range len(word) {
		if c := word[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return word != ""
}

// flagList writes flags in parentheses.
func (s *session) flagList(flags []mailparts.Flag, recent bool) {
	s.out.Append(func(b []byte) []byte {
		b = append(b, '(')
		from := len(b)
		for _, f := range flags {
			if isFlag(f) {
				b = append(append(b, f...), ' ')
			}
		}
		if recent {
			b = append(b, `\Recent `...)
		}
		if len(b) > from {
			b = b[:len(b)-1]
		}
		return append(b, ')')
	})
}

// flagsItem writes the FLAGS of a message for FETCH.
func (s *session) flagsItem(m *mailparts.Message) {
	s.out.Print("FLAGS ")
	s.flagList(m.Flags, !s.enabled.rev2 && s.box.recent.Contains(m.UID))
}

// tellKeywords sends FLAGS anew if there are keywords that it has not told of (RFC 9051
// section 7.3.5).
func (s *session) tellKeywords(flags []mailparts.Flag) {
	b := s.box
	if len(flags) == 0 || b.lastFlags == &flags[0] {
		return // stores share them among messages
	}
	b.lastFlags = &flags[0]
	known := len(b.flags)
	for _, f := range flags {
		if isFlag(f) && f[0] != '\\' && !hasFlag(b.flags, f) {
			b.flags = append(b.flags, f)
		}
	}
	if len(b.flags) > known {
		s.out.Print("* FLAGS ")
		s.flagList(b.flags, false)
		s.out.Print("\r\n")
	}
}

func hasFlag(flags []mailparts.Flag, f mailparts.Flag) bool {
	return slices.ContainsFunc(flags, func(g mailparts.Flag) bool { return strings.EqualFold(string(f), string(g)) })
}
