package mime

import "strings"

// Address is one of a list, or where a group begins or ends.
type Address struct {
	Name    string // the phrase before it, or else the comment after; not decoded
	Route   string // obsolete: "@a,@b"
	Mailbox string // without quoting; of a GroupStart, the group's name
	Host    string
	Kind    AddressKind
}

// AddressKind says what an Address is.
type AddressKind uint8

// The kinds of an Address.
const (
	Mailbox AddressKind = iota
	GroupStart
	GroupEnd
)

// Addresses reads an address list (RFC 5322 section 3.4, with section 4.4), and
// whatever else stands in its place: nothing of it is lost but white space and those
// comments that are not the only name of an address. A part of an address that is not there is empty. The Address is valid
// during the call, which returns false to end the reading.
func Addresses(list string, yield func(*Address) bool) {
	p := addressParser{tokenizer: tokenizer{s: list}, yield: yield}
	for p.i < len(p.s) && !p.stop {
		p.next()
	}
	p.finish()
	if p.inGroup && !p.stop {
		p.emit(Address{Kind: GroupEnd})
	}
}

// addressParser has what was read of the element at hand.
type addressParser struct {
	tokenizer
	yield   func(*Address) bool
	stop    bool
	inGroup bool

	words   []string // the phrase so far, or the local part
	joined  bool     // the next word belongs to the last
	comment string
	done    Address // an address that is complete but for what trails it
	isDone  bool
}

func (p *addressParser) emit(a Address) {
	if !p.stop {
		p.stop = !p.yield(&a)
	}
}

// next takes one token.
func (p *addressParser) next() {
	switch c := p.s[p.i]; c {
	case ' ', '\t', '\r', '\n':
		p.i++
		p.joined = false
	case '(':
		text, i := comment(p.s, p.i)
		if p.i = i; text != "" {
			p.comment = text
		}
	case ',':
		p.i++
		p.finish()
	case ';':
		p.i++
		p.finish()
		if p.inGroup {
			p.inGroup = false
			p.emit(Address{Kind: GroupEnd})
		}
	case '<':
		p.i++
		p.angle()
	case '>':
		p.i++
	case '@':
		p.i++
		p.atHost()
	case ':':
		p.i++
		if p.inGroup || p.isDone {
			p.word(":")
			return
		}
		name := p.phrase()
		p.comment, p.inGroup = "", true
		p.emit(Address{Kind: GroupStart, Mailbox: name})
	case '"':
		var w string
		w, p.i = quoted(p.s, p.i)
		p.word(w)
	default:
		start := p.i
		for p.i < len(p.s) && !strings.ContainsRune(" \t\r\n(,;<>@:\"", rune(p.s[p.i])) {
			p.i++
		}
		p.word(p.s[start:p.i])
	}
}

// maxWord bounds words and routes, so that no list takes more than linear time.
const maxWord = 1000

// word adds a word to the phrase. What stands directly beside another belongs to it.
func (p *addressParser) word(w string) {
	if n := len(p.words); n > 0 && p.joined && len(p.words[n-1]) < maxWord {
		p.words[n-1] += w
	} else {
		p.words = append(p.words, w)
	}
	p.joined = true
}

// phrase takes the words.
func (p *addressParser) phrase() string {
	s := strings.Join(p.words, " ")
	p.words, p.joined = p.words[:0], false
	return s
}

// localPart takes the last word, and those that dots join to it.
func (p *addressParser) localPart() string {
	n := len(p.words)
	if n == 0 {
		return ""
	}
	first := n - 1
	for first > 0 && (strings.HasPrefix(p.words[first], ".") || strings.HasSuffix(p.words[first-1], ".")) {
		first--
	}
	s := strings.Join(p.words[first:], "")
	p.words, p.joined = p.words[:first], false
	return s
}

// finish ends the element: what was read is an address, or trails the one before.
func (p *addressParser) finish() {
	switch {
	case p.isDone:
		p.flush()
		return
	case len(p.words) == 1 && !strings.Contains(p.words[0], " "):
		p.emit(Address{Name: p.comment, Mailbox: p.phrase()})
	case len(p.words) > 0:
		p.emit(Address{Name: p.phrase()})
	}
	p.comment = ""
}

// flush yields the address that is complete, with the words after it.
func (p *addressParser) flush() {
	a := p.done
	if trail := p.phrase(); trail != "" {
		a.Name = strings.TrimSpace(a.Name + " " + trail)
	}
	if a.Name == "" {
		a.Name = p.comment
	}
	p.isDone, p.comment = false, ""
	p.emit(a)
}

// complete keeps an address until it is known what trails it.
func (p *addressParser) complete(a Address) {
	p.done, p.isDone, p.joined = a, true, false
}

// atHost is called after an @ outside of angle brackets: the words before it end in
// the local part.
func (p *addressParser) atHost() {
	local := p.localPart()
	if p.isDone { // no comma between
		p.split()
	}
	name := p.phrase()
	p.complete(Address{Name: name, Mailbox: local, Host: p.host(" \t\r\n,;<>:\"@")})
}

// split yields the address before another one, to which the words after it belong.
func (p *addressParser) split() {
	words := p.words
	p.words = nil
	p.flush()
	p.words = words
}

// angle reads an address in angle brackets, after the "<".
func (p *addressParser) angle() {
	if p.isDone {
		p.split()
	}
	a := Address{Name: p.phrase()}
	if p.space(); p.i < len(p.s) && p.s[p.i] == '@' {
		end := strings.IndexAny(p.s[p.i:min(len(p.s), p.i+maxWord)], ":>")
		if end >= 0 && p.s[p.i+end] == ':' {
			a.Route = strings.Join(strings.Fields(p.s[p.i:p.i+end]), "")
			p.i += end + 1
		}
	}
	for p.i < len(p.s) {
		switch c := p.s[p.i]; c {
		case '>':
			p.i++
			a.Mailbox = p.phrase()
			p.complete(a)
			return
		case ',', ';': // it was not closed
			a.Mailbox = p.phrase()
			p.complete(a)
			return
		case '@':
			p.i++
			a.Mailbox = p.dotted()
			a.Host = p.host(",;>")
			if p.i < len(p.s) && p.s[p.i] == '>' {
				p.i++
			}
			p.complete(a)
			return
		case ':', '<':
			p.i++
			p.word(string(c))
		default:
			p.next()
		}
	}
	a.Mailbox = p.phrase()
	p.complete(a)
}

// dotted takes all words as a local part.
func (p *addressParser) dotted() string {
	local := p.localPart()
	if rest := p.phrase(); rest != "" {
		return rest + " " + local
	}
	return local
}

// host reads a domain or a domain literal up to one of some characters. White space
// within it counts only where no dot is beside it.
func (p *addressParser) host(ends string) string {
	for p.i < len(p.s) && p.s[p.i] != '(' && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
	var b []byte
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '(':
			text, i := comment(p.s, p.i)
			if p.i = i; text != "" {
				p.comment = text
			}
			if len(b) == 0 {
				p.blanks()
			}
		case c == '[':
			end := strings.IndexByte(p.s[p.i:], ']')
			if end < 0 {
				end = len(p.s) - p.i - 1
			}
			b = append(b, p.s[p.i:p.i+end+1]...)
			p.i += end + 1
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			start := p.i
			p.blanks()
			dot := p.i < len(p.s) && p.s[p.i] == '.' || len(b) > 0 && b[len(b)-1] == '.'
			switch end := p.i >= len(p.s) || strings.IndexByte(ends, p.s[p.i]) >= 0; {
			case end || p.s[p.i] == '(':
			case dot:
			case strings.IndexByte(ends, ' ') >= 0:
				p.i = start
				return string(b)
			default:
				b = append(b, ' ')
			}
		case strings.IndexByte(ends, c) >= 0:
			return string(b)
		default:
			b = append(b, c)
			p.i++
		}
	}
	return string(b)
}

func (p *addressParser) blanks() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}
