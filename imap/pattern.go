package imap

import "strings"

// Bounds of the patterns of one LIST. What they cost is their octets times those of the
// names.
const (
	maxPatterns      = 100
	maxPatternOctets = 4 << 10 // of all, together
)

// pattern is a canonical LIST pattern (RFC 9051 section 6.3.9): "*" stands for any octets,
// "%" for any but the separator.
type pattern struct {
	text   string
	prefix string // of text, up to the first wildcard
	levels bool   // ends in "%": levels of hierarchy that are no mailboxes match, too
	row    []bool
}

// newPattern drops what runs of wildcards repeat: "*%" is "*", and "%%" is "%".
func newPattern(text string) *pattern {
	var b strings.Builder
	for i := 0; i < len(text); {
		if !isWildcard(text[i]) {
			b.WriteByte(text[i])
			i++
			continue
		}
		from := i
		for i < len(text) && isWildcard(text[i]) {
			i++
		}
		if strings.IndexByte(text[from:i], '*') >= 0 {
			b.WriteByte('*')
		} else {
			b.WriteByte('%')
		}
	}
	p := &pattern{text: b.String(), levels: strings.HasSuffix(text, "%")}
	p.prefix = p.text
	if i := strings.IndexAny(p.text, "*%"); i >= 0 {
		p.prefix = p.text[:i]
	}
	p.row = make([]bool, len(p.text)-len(p.prefix)+1)
	return p
}

func isWildcard(c byte) bool { return c == '*' || c == '%' }

// fixed reports whether the pattern can match one name only.
func (p *pattern) fixed() bool { return p.prefix == p.text }

// match takes time in proportion to the lengths of both, whatever is in them.
func (p *pattern) match(name string) bool {
	rest, ok := strings.CutPrefix(name, p.prefix)
	if !ok || p.fixed() {
		return ok && rest == ""
	}
	wild := p.text[len(p.prefix):]
	// row[i] says whether wild[:i] matches what has been read of rest.
	row := p.row
	row[0] = true
	for i := range len(wild) {
		row[i+1] = row[i] && isWildcard(wild[i])
	}
	for j := range len(rest) {
		before := row[0] // of row[i], without rest[j]
		row[0] = false
		alive := false
		for i := range len(wild) {
			was := row[i+1]
			switch wild[i] {
			case '*':
				row[i+1] = row[i] || was
			case '%':
				row[i+1] = row[i] || was && rest[j] != separator[0]
			default:
				row[i+1] = before && wild[i] == rest[j]
			}
			before = was
			alive = alive || row[i+1]
		}
		if !alive {
			return false
		}
	}
	return row[len(wild)]
}

// patterns are those of one command.
type patterns struct {
	all    []*pattern
	inbox  []*pattern // with the first part in upper case, for INBOX (RFC 9051 section 5.1)
	octets int
}

// add reports whether there is room for another pattern.
func (ps *patterns) add(text string) bool {
	ps.octets += len(text)
	if len(ps.all) == maxPatterns || ps.octets > maxPatternOctets {
		return false
	}
	ps.all = append(ps.all, newPattern(text))
	first, rest, below := strings.Cut(text, separator)
	if upper := upperASCII(first); upper != first {
		if below {
			upper += separator + rest
		}
		ps.inbox = append(ps.inbox, newPattern(upper))
	}
	return true
}

func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// match reports whether a name matches, and whether as a level of hierarchy, too.
func (ps *patterns) match(name string) (matches, level bool) {
	matches, level = matchAny(ps.all, name)
	if !level && within(name, "INBOX") {
		m, l := matchAny(ps.inbox, name)
		matches, level = matches || m, l
	}
	return matches, level
}

func matchAny(all []*pattern, name string) (matches, level bool) {
	for _, p := range all {
		if (!matches || p.levels) && p.match(name) {
			matches = true
			level = level || p.levels
		}
	}
	return matches, level
}

// fixed reports whether no pattern has a wildcard.
func (ps *patterns) fixed() bool {
	for _, p := range ps.all {
		if !p.fixed() {
			return false
		}
	}
	return true
}
