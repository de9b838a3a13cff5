package imap

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/utf7"
)

// separator is between the parts of every name.
const separator = "/"

// mailboxName reads a mailbox: UTF-8 for a client that has enabled it, else modified
// UTF-7 (RFC 3501 section 5.1.3, RFC 9051 section 5.1). INBOX is in upper case then.
func (s *session) mailboxName(p *wire.Parser) string { return s.decodeName(p, p.AString()) }

func (s *session) decodeName(p *wire.Parser, raw []byte) string {
	if p.Err() != nil {
		return ""
	}
	name := string(raw)
	if s.enabled.utf8 || s.enabled.rev2 {
		if !utf8.ValidString(name) {
			p.Fail(wire.Error("Mailbox name is not UTF-8"))
		}
		return canonical(name)
	}
	// What is no modified UTF-7 is taken for what it looks like: many clients send "&"
	// as it is, and some UTF-8.
	if decoded, ok := utf7.Decode(name); ok {
		name = decoded
	} else if !utf8.ValidString(name) {
		p.Fail(wire.Error("Mailbox name is not UTF-8"))
	}
	return canonical(name)
}

// canonical is a name as stores have it: INBOX in any case is INBOX, as a part of others
// too.
func canonical(name string) string {
	first, rest, below := strings.Cut(name, separator)
	if !strings.EqualFold(first, "INBOX") {
		return name
	}
	if below {
		return "INBOX" + separator + rest
	}
	return "INBOX"
}

// existing is the name of the mailbox that a client means. A client of IMAP4rev2 may give
// one that is not Net-Unicode and mean the mailbox that CREATE made of it (RFC 9051 section
// 5.1), unless there is one of that very name, which only others can have made.
func (s *session) existing(name string) string {
	if !s.enabled.rev2 || norm.NFC.IsNormalString(name) {
		return name
	}
	_, err := s.store.Mailbox(s.ctx, name)
	if err == nil || !errors.Is(err, mailparts.ErrNoMailbox) && !errors.Is(err, mailparts.ErrBadName) || s.isParent(name) {
		return name
	}
	return norm.NFC.String(name)
}

// addPattern adds a pattern of LIST, and what existing would make of it.
func (s *session) addPattern(ps *patterns, text string) bool {
	if s.enabled.rev2 && !norm.NFC.IsNormalString(text) && !ps.add(norm.NFC.String(text)) {
		return false
	}
	return ps.add(text)
}

// tellName tells of a mailbox by LIST, and of the name that the client has for it, if that
// is another (RFC 9051 section 6.3.9.7).
func (s *session) tellName(attribute, asked, name string) {
	s.out.Print("* LIST (", attribute, `) "`+separator+`" `)
	s.printName(name)
	if asked != name {
		s.out.Print(` ("OLDNAME" (`)
		s.printName(asked)
		s.out.Print("))")
	}
	s.out.Print("\r\n")
}

// tellOldName is tellName where only another name need be told.
func (s *session) tellOldName(attribute, asked, name string) {
	if asked != name {
		s.tellName(attribute, asked, name)
	}
}

// printName writes a mailbox's name.
func (s *session) printName(name string) {
	if !s.enabled.utf8 && !s.enabled.rev2 {
		name = utf7.Encode(name)
	}
	s.out.AString(name)
}
