package imap

import (
	"slices"
	"strings"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// maxEnable bounds the capabilities of one ENABLE.
const maxEnable = 100

const errEnableSelected badCommand = "Not permitted while a mailbox is selected"

// enabling is a row of the table of what ENABLE knows.
type enabling struct {
	name   string
	before bool // only before a mailbox is selected
	enable func(s *session) (anew bool)
}

var enablings = []enabling{
	{"CONDSTORE", false, func(s *session) bool { // RFC 7162 section 3.1
		anew := !s.enabled.condstore
		s.enableCondstore()
		return anew
	}},
	{"QRESYNC", true, func(s *session) bool { // RFC 7162 section 3.2.3
		s.enableCondstore()
		return turnOn(&s.enabled.qresync)
	}},
	{"UTF8=ACCEPT", true, func(s *session) bool { // RFC 9755 section 3
		s.out.UTF8 = true
		return turnOn(&s.enabled.utf8)
	}},
	{"IMAP4rev2", true, func(s *session) bool { // RFC 9051 section 6.3.1
		s.out.UTF8 = true
		return turnOn(&s.enabled.rev2)
	}},
}

// turnOn reports whether b was off.
func turnOn(b *bool) bool {
	was := *b
	*b = true
	return !was
}

// enable is ENABLE (RFC 5161, RFC 9051 section 6.3.1). What it does not know it ignores.
func (s *session) enable(p *wire.Parser) error {
	var asked []*enabling
	for n := 0; n == 0 || p.Err() == nil && p.More(); n++ {
		p.SP()
		name := string(p.Atom())
		if n == maxEnable {
			p.Fail(wire.Error("Too many capabilities"))
		}
		i := slices.IndexFunc(enablings, func(e enabling) bool { return strings.EqualFold(e.name, name) })
		if i >= 0 {
			asked = append(asked, &enablings[i])
		}
	}
	if err := p.End(); err != nil {
		return err
	}
	if s.box != nil && slices.ContainsFunc(asked, func(e *enabling) bool { return e.before }) {
		return errEnableSelected
	}
	names := []string{"* ENABLED"}
	for _, e := range asked {
		if e.enable(s) {
			names = append(names, " ", e.name)
		}
	}
	s.out.Print(append(names, "\r\n")...)
	return nil
}
