package mime

import (
	"strconv"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// AppendBodyStructure appends what follows BODY, or if extended BODYSTRUCTURE, in a
// FETCH response (RFC 9051 section 7.5.2), with utf8 as for [AppendEnvelope].
func AppendBodyStructure(b []byte, p *Part, extended, utf8 bool) []byte {
	return (&structure{b, extended, utf8}).part(p)
}

type structure struct {
	b        []byte
	extended bool
	utf8     bool
}

func (s *structure) part(p *Part) []byte {
	s.b = append(s.b, '(')
	if p.IsMultipart() {
		for _, c := range p.Children {
			s.part(c)
		}
		s.space()
		s.string(p.Subtype)
		if s.extended {
			s.space()
			s.params(p.Params)
			s.extensions(p)
		}
	} else {
		s.leaf(p)
	}
	s.b = append(s.b, ')')
	return s.b
}

// leaf appends body-type-1part of RFC 9051 section 9.
func (s *structure) leaf(p *Part) {
	s.string(p.Type)
	s.space()
	s.string(p.Subtype)
	s.space()
	s.params(p.Params)
	s.space()
	s.b = appendOrNIL(s.b, p.ID, s.utf8)
	s.space()
	s.b = appendTextOrNIL(s.b, p.Description, s.utf8)
	s.space()
	s.string(p.Encoding)
	s.number(p.Body.Size)
	if p.IsMessage() {
		c := p.Children[0]
		s.space()
		s.b = AppendEnvelope(s.b, c.Envelope, s.utf8)
		s.space()
		s.part(c)
	}
	if p.IsMessage() || p.IsText() {
		s.number(p.Lines)
	}
	if s.extended {
		s.space()
		s.b = appendOrNIL(s.b, p.MD5, s.utf8)
		s.extensions(p)
	}
}

// extensions appends what body-ext-1part and body-ext-mpart have in common.
func (s *structure) extensions(p *Part) {
	s.space()
	if p.Disposition == "" {
		s.nil()
	} else {
		s.b = append(s.b, '(')
		s.string(p.Disposition)
		s.space()
		s.params(p.DispositionParams)
		s.b = append(s.b, ')')
	}
	s.space()
	if len(p.Language) == 0 {
		s.nil()
	} else {
		s.b = append(s.b, '(')
		for i, l := range p.Language {
			if i > 0 {
				s.space()
			}
			s.string(l)
		}
		s.b = append(s.b, ')')
	}
	s.space()
	s.b = appendOrNIL(s.b, p.Location, s.utf8)
}

func (s *structure) params(params []Param) {
	if len(params) == 0 {
		s.nil()
		return
	}
	s.b = append(s.b, '(')
	for i, p := range params {
		if i > 0 {
			s.space()
		}
		s.string(p.Name)
		s.space()
		s.string(p.Value)
	}
	s.b = append(s.b, ')')
}

func (s *structure) space()          { s.b = append(s.b, ' ') }
func (s *structure) nil()            { s.b = append(s.b, "NIL"...) }
func (s *structure) string(v string) { s.b = wire.AppendString(s.b, v, s.utf8) }

func (s *structure) number(n int64) {
	s.space()
	s.b = strconv.AppendInt(s.b, n, 10)
}
