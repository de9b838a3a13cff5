package imap

import (
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// Bounds of ID (RFC 2971 section 3.3), and of what is logged of it.
const (
	maxIDFields = 30
	maxIDField  = 30
	maxIDValue  = 1024
	maxIDLogged = 100 // of each value
)

// id is ID (RFC 2971).
func (s *session) id(p *wire.Parser) error {
	p.SP()
	fields := parseID(p)
	if err := p.End(); err != nil {
		return err
	}
	if len(fields) > 0 && !s.identified { // a client may repeat it at will
		s.identified = true
		s.log.LogAttrs(s.ctx, slog.LevelInfo, "client", slog.String("user", s.user), slog.GroupAttrs("id", fields...))
	}
	s.out.Print("* ID ")
	s.tellID()
	s.out.Print("\r\n")
	return nil
}

// parseID reads the client's fields, for the log.
func parseID(p *wire.Parser) (fields []slog.Attr) {
	if p.TryWord("NIL") {
		return nil
	}
	p.List(func() {
		field := p.String()
		p.SP()
		value := p.NString()
		if len(fields) == maxIDFields || len(field) > maxIDField || len(value) > maxIDValue {
			p.Fail(wire.Error("Too much of an ID"))
			return
		}
		fields = append(fields, slog.String(oneLine(string(field)), oneLine(string(value[:min(len(value), maxIDLogged)]))))
	})
	return fields
}

// tellID writes Server.ID.
func (s *session) tellID() {
	if len(s.srv.ID) == 0 {
		s.out.Print("NIL")
		return
	}
	for i, field := range slices.Sorted(maps.Keys(s.srv.ID)) {
		s.out.Print([]string{"(", " "}[min(i, 1)])
		s.out.String(strings.ToLower(field))
		s.out.Print(" ")
		s.out.String(s.srv.ID[field])
	}
	s.out.Print(")")
}
