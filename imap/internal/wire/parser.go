package wire

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// Error is what is wrong with a command's syntax, for the text of BAD.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// errMessage is a literal that is left to Reader.Message where none is expected.
const errMessage Error = "Literal not possible here"

// Parser reads a command from left to right. Its first error stays: all that follows
// returns zero values, and End the error. Strings that it returns as []byte are part of
// the command. The zero value is at the end of an empty command.
type Parser struct {
	rest  []byte
	err   error
	depth int
}

// NewParser returns a Parser of text, a command without its CRLF.
func NewParser(text []byte) *Parser { return &Parser{rest: text} }

// Reset starts again with text.
func (p *Parser) Reset(text []byte) { *p = Parser{rest: text} }

// Fail notes an error of a caller who knows more of the syntax.
func (p *Parser) Fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.rest = nil
}

// Err is the first error.
func (p *Parser) Err() error { return p.err }

// End returns the first error, or that something follows.
func (p *Parser) End() error {
	if p.err == nil && len(p.rest) > 0 {
		p.Fail(Error("Unexpected text after the command"))
	}
	return p.err
}

// More reports whether there is something to read.
func (p *Parser) More() bool { return len(p.rest) > 0 }

// Peek is the next octet, 0 at the end.
func (p *Parser) Peek() byte {
	if len(p.rest) == 0 {
		return 0
	}
	return p.rest[0]
}

// Try reads c if it comes next.
func (p *Parser) Try(c byte) bool {
	if p.Peek() != c || len(p.rest) == 0 {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// Expect reads c.
func (p *Parser) Expect(c byte) {
	if !p.Try(c) {
		if c == ' ' {
			p.Fail(Error("Missing argument"))
			return
		}
		p.Fail(Error("Expected " + strconv.QuoteToASCII(string(rune(c)))))
	}
}

// SP reads one space. Some clients send two, which does no harm.
func (p *Parser) SP() {
	p.Expect(' ')
	for p.Try(' ') {
	}
}

// TryWord reads word, in any case, if it comes next as a whole.
func (p *Parser) TryWord(word string) bool {
	n := len(word)
	if len(p.rest) < n || !bytes.EqualFold(p.rest[:n], []byte(word)) || len(p.rest) > n && isAtom[p.rest[n]] {
		return false
	}
	p.rest = p.rest[n:]
	return true
}

// isAtom says which octets are ATOM-CHARs (RFC 9051 section 9).
var isAtom [256]bool

// isAString adds "]", which an astring may have.
var isAString [256]bool

func init() {
	for c := byte(0x21); c < 0x7f; c++ {
		isAtom[c] = !bytes.ContainsRune([]byte(`(){%*"\]`), rune(c))
		isAString[c] = isAtom[c] || c == ']'
	}
}

// span reads the octets that are in set.
func (p *Parser) span(set *[256]bool) []byte {
	i := 0
	for i < len(p.rest) && set[p.rest[i]] {
		i++
	}
	t := p.rest[:i:i]
	p.rest = p.rest[i:]
	return t
}

// Atom reads one atom.
func (p *Parser) Atom() []byte {
	t := p.span(&isAtom)
	if len(t) == 0 {
		p.Fail(Error("Expected an atom"))
	}
	return t
}

// Until reads the octets before one of stop, which may be none.
func (p *Parser) Until(stop string) []byte {
	i := bytes.IndexAny(p.rest, stop)
	if i < 0 {
		i = len(p.rest)
	}
	t := p.rest[:i:i]
	p.rest = p.rest[i:]
	return t
}

// TryText reads text, in any case, if it comes next.
func (p *Parser) TryText(text string) bool {
	if len(p.rest) < len(text) || !bytes.EqualFold(p.rest[:len(text)], []byte(text)) {
		return false
	}
	p.rest = p.rest[len(text):]
	return true
}

// Word is Atom in upper case, for what is known by name.
func (p *Parser) Word() string { return string(bytes.ToUpper(p.Atom())) }

// AString reads an atom or a string.
func (p *Parser) AString() []byte {
	if c := p.Peek(); c == '"' || c == '{' {
		return p.String()
	}
	t := p.span(&isAString)
	if len(t) == 0 {
		p.Fail(Error("Expected a string"))
	}
	return t
}

// String reads a quoted string or a literal.
func (p *Parser) String() []byte {
	switch p.Peek() {
	case '"':
		return p.quoted()
	case '{':
		return p.literal()
	}
	p.Fail(Error("Expected a string"))
	return nil
}

// Base64 reads base64, or the "=" that stands for nothing (RFC 4959 section 3). Whether
// it is base64 is the caller's to say.
func (p *Parser) Base64() []byte {
	i := 0
	for i < len(p.rest) && p.rest[i] != ' ' {
		i++
	}
	t := p.rest[:i:i]
	p.rest = p.rest[i:]
	if i == 0 {
		p.Fail(Error("Expected base64"))
	}
	return t
}

// NString is String, or nil for NIL.
func (p *Parser) NString() []byte {
	if p.TryWord("NIL") {
		return nil
	}
	return p.String()
}

// NBinary is NString, or a literal that may have NULs (literal8 of RFC 3516).
func (p *Parser) NBinary() []byte {
	if len(p.rest) > 1 && p.rest[0] == '~' && p.rest[1] == '{' {
		p.rest = p.rest[1:]
		return p.octets()
	}
	return p.NString()
}

// quoted reads a quoted string, UTF-8 included (RFC 9755 section 3): whether it is
// permitted is the caller's to say.
func (p *Parser) quoted() []byte {
	t := p.unquote()
	if !utf8.Valid(t) {
		p.Fail(Error("Quoted string is not UTF-8"))
		return nil
	}
	return p.text(t)
}

// unquote reads a quoted string of any octets.
func (p *Parser) unquote() []byte {
	t := p.rest[1:]
	i := bytes.IndexAny(t, "\"\\")
	if i >= 0 && t[i] == '"' { // nothing is quoted by "\"
		p.rest = t[i+1:]
		return t[:i:i]
	}
	var out []byte
	for i := 0; i < len(t); i++ {
		switch c := t[i]; c {
		case '"':
			p.rest = t[i+1:]
			if out == nil {
				out = []byte{}
			}
			return out
		case '\\':
			if i++; i == len(t) || t[i] != '"' && t[i] != '\\' {
				p.Fail(Error(`Only "\"" and "\\" may follow "\\"`))
				return nil
			}
			out = append(out, t[i])
		default:
			out = append(out, c)
		}
	}
	p.Fail(Error("Quoted string without an end"))
	return nil
}

// text refuses what no string but a literal8 may have.
func (p *Parser) text(t []byte) []byte {
	if bytes.IndexByte(t, 0) >= 0 {
		p.Fail(Error("NUL in a string"))
		return nil
	}
	return t
}

func (p *Parser) literal() []byte { return p.text(p.octets()) }

// octets reads a literal that Reader has put after its CRLF.
func (p *Parser) octets() []byte {
	i := bytes.IndexByte(p.rest, '}')
	if i < 0 {
		p.Fail(Error("Malformed literal"))
		return nil
	}
	lit, ok := announced(p.rest[:i+1])
	ok = ok && bytes.LastIndexByte(p.rest[:i+1], '{') == 0
	after := p.rest[i+1:]
	switch {
	case !ok:
		p.Fail(Error("Malformed literal"))
	case len(after) == 0:
		p.Fail(errMessage)
	case len(after) < 2 || after[0] != '\r' || after[1] != '\n' || int64(len(after)-2) < lit.Size:
		p.Fail(Error("Malformed literal"))
	default:
		p.rest = after[2+lit.Size:]
		return after[2 : 2+lit.Size : 2+lit.Size]
	}
	return nil
}

// Message reads the announcement of a message, which is left to Reader.Message: it ends
// what is there of the command.
func (p *Parser) Message() (lit Literal) {
	lit, ok := announced(p.rest)
	if !ok || p.err != nil || bytes.LastIndexByte(bytes.TrimPrefix(p.rest, []byte("~")), '{') != 0 {
		p.Fail(Error("Expected a literal"))
		return Literal{}
	}
	p.rest = nil
	return lit
}

// Number reads a number of 32 bits.
func (p *Parser) Number() uint32 { return uint32(p.number(math.MaxUint32)) }

// NZNumber reads a number of 32 bits whose first digit is not 0 (RFC 9051 section 9).
func (p *Parser) NZNumber() uint32 {
	zero := p.Peek() == '0'
	n := p.Number()
	if zero {
		p.Fail(Error("Expected a number above 0"))
	}
	return n
}

// Number64 reads a number of 63 bits (RFC 9051 section 9), such as a mod-sequence.
func (p *Parser) Number64() uint64 { return p.number(math.MaxInt64) }

func (p *Parser) number(most uint64) (n uint64) {
	i := 0
	for ; i < len(p.rest) && '0' <= p.rest[i] && p.rest[i] <= '9'; i++ {
		d := uint64(p.rest[i] - '0')
		if n > (most-d)/10 {
			p.Fail(Error("Number too large"))
			return 0
		}
		n = 10*n + d
	}
	if i == 0 {
		p.Fail(Error("Expected a number"))
		return 0
	}
	p.rest = p.rest[i:]
	return n
}

// maxDepth bounds parentheses in parentheses.
const maxDepth = 50

// List reads "(", what item reads, with a space between each two, and ")". An item that
// reads nothing must fail.
func (p *Parser) List(item func()) {
	p.Expect('(')
	if p.Try(')') {
		return
	}
	if p.Enter(); p.err != nil {
		return
	}
	defer p.Leave()
	for {
		item()
		if p.err != nil || p.Try(')') {
			return
		}
		p.SP()
		if p.Try(')') { // a space before it, which some clients send
			return
		}
	}
}

// Enter goes one level deeper into what nests, and fails if that is too deep.
func (p *Parser) Enter() {
	if p.depth++; p.depth > maxDepth {
		p.Fail(Error("Too deeply nested"))
	}
}

// Leave goes back up.
func (p *Parser) Leave() { p.depth-- }

// IsSyntax reports whether err is of the syntax.
func IsSyntax(err error) bool {
	_, ok := errors.AsType[Error](err)
	return ok
}
