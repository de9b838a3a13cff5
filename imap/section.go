package imap

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// section is an item of FETCH that is octets of the message: BODY[…], BINARY[…], and
// RFC822 with its kin (RFC 9051 section 6.4.5.1, RFC 3516 section 4, RFC 3501 section
// 6.4.5).
type section struct {
	label  string // as the response has it, up to "]"
	peek   bool
	binary bool // decoded
	size   bool // BINARY.SIZE
	path   []int
	text   mime.Text
	filter *mime.HeaderFilter // HEADER.FIELDS

	partial     bool
	from, count int64

	// Of the message that is being answered for, by measure.
	nil_    bool // there is no such part
	octets  mime.Range
	content []byte     // instead of octets, if not nil
	part    *mime.Part // of BINARY
	made    bool       // and not octets as they stand
	length  int64      // of what is made
	zeros   bool       // NUL is in that
	room    []byte     // that content was in, for the next message
}

// Bounds of a section.
const (
	maxPath   = 100
	maxFields = 200
)

// parseSection reads the rest of an item that begins with word, or returns nil.
func parseSection(p *wire.Parser, word string) *section {
	sec := &section{}
	switch word {
	case "RFC822":
		sec.label = word
		return sec
	case "RFC822.HEADER":
		sec.label, sec.text, sec.peek = word, mime.Header, true
		return sec
	case "RFC822.TEXT":
		sec.label, sec.text = word, mime.Body
		return sec
	case "BODY":
	case "BODY.PEEK":
		sec.peek = true
	case "BINARY":
		sec.binary = true
	case "BINARY.PEEK":
		sec.binary, sec.peek = true, true
	case "BINARY.SIZE":
		sec.binary, sec.peek, sec.size = true, true, true
	default:
		return nil
	}
	p.Expect('[')
	var more bool
	switch sec.path, more = parsePath(p); {
	case more && sec.binary:
		p.Fail(wire.Error("Expected the number of a part"))
	case more:
		sec.parseText(p)
	}
	p.Expect(']')
	sec.setLabel(strings.TrimSuffix(word, ".PEEK"))
	if !sec.size && p.Try('<') {
		sec.partial = true
		sec.from = int64(p.Number64())
		p.Expect('.')
		if sec.count = int64(p.Number64()); sec.count == 0 && p.Err() == nil {
			p.Fail(wire.Error("Expected a number above 0"))
		}
		p.Expect('>')
	}
	return sec
}

// parsePath reads the numbers of a part, and the "." before what follows them, which more
// says that something must.
func parsePath(p *wire.Parser) (path []int, more bool) {
	more = p.Peek() != ']'
	for c := p.Peek(); '0' <= c && c <= '9'; c = p.Peek() {
		n := p.NZNumber()
		if len(path) == maxPath {
			p.Fail(wire.Error("Too deeply nested"))
		}
		path = append(path, int(n))
		if more = p.Try('.'); !more {
			break
		}
	}
	return path, more
}

// parseText reads what follows the numbers.
func (sec *section) parseText(p *wire.Parser) {
	switch word := strings.ToUpper(string(p.Until(" ]"))); {
	case word == "HEADER":
		sec.text = mime.Header
	case word == "TEXT":
		sec.text = mime.Body
	case word == "MIME" && len(sec.path) > 0:
		sec.text = mime.MIME
	case word == "HEADER.FIELDS" || word == "HEADER.FIELDS.NOT":
		sec.text = mime.Header
		sec.filter = &mime.HeaderFilter{Not: word == "HEADER.FIELDS.NOT"}
		p.SP()
		p.List(func() {
			if len(sec.filter.Names) == maxFields {
				p.Fail(wire.Error("Too many fields"))
				return
			}
			sec.filter.Names = append(sec.filter.Names, string(p.AString()))
		})
		if len(sec.filter.Names) == 0 && p.Err() == nil {
			p.Fail(wire.Error("Expected the name of a field"))
		}
	default:
		p.Fail(wire.Error("Unknown section"))
	}
}

// setLabel makes what the response is named by.
func (sec *section) setLabel(word string) {
	b := append([]byte(word), '[')
	for i, n := range sec.path {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(uint32(n)), 10)
	}
	text := map[mime.Text]string{mime.Header: "HEADER", mime.Body: "TEXT", mime.MIME: "MIME"}[sec.text]
	if text != "" && len(sec.path) > 0 {
		b = append(b, '.')
	}
	b = append(b, text...)
	if f := sec.filter; f != nil {
		b = append(b, ".FIELDS"...)
		if f.Not {
			b = append(b, ".NOT"...)
		}
		b = append(b, " ("...)
		for i, name := range f.Names {
			if i > 0 {
				b = append(b, ' ')
			}
			b = wire.AppendAString(b, name)
		}
		b = append(b, ')')
	}
	sec.label = string(append(b, ']'))
}

// needsTree reports whether the structure must be known: not for the whole message, and
// not for its header, which ends at the first empty line.
func (sec *section) needsTree() bool {
	return len(sec.path) > 0 || sec.binary || sec.text == mime.Body
}

// isCommon reports whether the section may be among what is derived of the message.
func (sec *section) isCommon() bool {
	return sec.wantsHeader() && sec.filter != nil && sec.filter.IsCommon()
}

// wantsHeader reports whether the section is of the message's own header.
func (sec *section) wantsHeader() bool { return len(sec.path) == 0 && sec.text == mime.Header }

// cut narrows octets to the partial range that was asked for.
func (sec *section) cut(size int64) (from, n int64) {
	if !sec.partial {
		return 0, size
	}
	from = min(sec.from, size)
	return from, min(sec.count, size-from)
}

// headerEnd is how long the header at the start of b is, with its empty line; -1 if its
// end is not there.
func headerEnd(b []byte) int {
	if bytes.HasPrefix(b, []byte("\r\n")) {
		return 2
	}
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i + 4
	}
	return -1
}
