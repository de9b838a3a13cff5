package imap

import (
	"strings"
	"unicode/utf8"

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

// printName writes a mailbox's name.
func (s *session) printName(name string) {
	if !s.enabled.utf8 && !s.enabled.rev2 {
		name = utf7.Encode(name)
	}
	s.out.AString(name)
}
