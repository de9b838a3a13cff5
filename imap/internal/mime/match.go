package mime

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Matcher finds a substring in text without regard to case, by Unicode's simple case
// folding. Any number of goroutines may use one.
type Matcher struct {
	needle []byte // folded
	text   string // the same
	ascii  bool
	rare   int // where in an ASCII needle its rarest octet is
	folder folder
}

// NewMatcher returns a Matcher of valid UTF-8. An empty needle is everywhere.
func NewMatcher(needle string) *Matcher {
	m := &Matcher{ascii: true}
	for i := range len(needle) {
		m.ascii = m.ascii && needle[i] < utf8.RuneSelf
	}
	if m.ascii {
		m.needle = bytes.ToLower([]byte(needle))
		m.text = string(m.needle)
		for i := range m.needle {
			if rarity(m.needle[i]) < rarity(m.needle[m.rare]) {
				m.rare = i
			}
		}
		return m
	}
	m.folder.prepare()
	m.needle = m.folder.fold(nil, []byte(needle))
	m.text = string(m.needle)
	return m
}

// rarity orders octets by how often English text and HTML have them.
func rarity(c byte) int {
	const often = " etaoinsrhldcumfpgwybv/<>.,=\"0123456789-:;kxjqz"
	if i := strings.IndexByte(often, c); i >= 0 {
		return len(often) - i
	}
	return 0
}

// MatchString reports whether text has the needle.
func (m *Matcher) MatchString(s string) bool {
	found, _ := m.match([]byte(s), nil)
	return found
}

// match looks in text that is whole. It returns what it folded, for its octets to be
// used again.
func (m *Matcher) match(text, scratch []byte) (bool, []byte) {
	f := &m.folder
	if m.ascii {
		if !m.foldsToASCII(text) {
			return m.indexASCII(text), scratch
		}
		f = new(folder)
	}
	scratch = f.fold(scratch[:0], text)
	return bytes.Contains(scratch, m.needle), scratch
}

// matchChunk is how much text is looked at together.
const matchChunk = 32 << 10

// matchBuffers keeps the text, and that text folded.
var matchBuffers = sync.Pool{New: func() any { return new([2][]byte) }}

// Match reports whether the text of r has the needle, and reads no further than that.
func (m *Matcher) Match(r io.Reader) (bool, error) {
	if len(m.needle) == 0 {
		return true, nil
	}
	// A letter has up to 4 octets where its folded form has one, so that many may be
	// needed of what was looked at.
	keep := utf8.UTFMax * len(m.needle)
	bufs := matchBuffers.Get().(*[2][]byte)
	defer matchBuffers.Put(bufs)
	if len(bufs[0]) < keep+matchChunk {
		bufs[0] = make([]byte, keep+matchChunk)
	}
	buf := bufs[0]
	for have := 0; ; {
		n, err := io.ReadFull(r, buf[have:])
		have += n
		var found bool
		if found, bufs[1] = m.match(buf[:have], bufs[1]); found {
			return true, nil
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return false, nil
		default:
			return false, err
		}
		start := have - keep
		for i := 0; i < utf8.UTFMax && start > 0 && !utf8.RuneStart(buf[start]); i++ {
			start--
		}
		have = copy(buf, buf[start:have])
	}
}

// The two letters beyond US-ASCII that fold to one of US-ASCII: the Kelvin sign and
// the long s.
var kelvin, longS = []byte("\u212a"), []byte("\u017f")

func (m *Matcher) foldsToASCII(text []byte) bool {
	return bytes.IndexByte(m.needle, 'k') >= 0 && bytes.Contains(text, kelvin) ||
		bytes.IndexByte(m.needle, 's') >= 0 && bytes.Contains(text, longS)
}

// indexASCII looks for the rarest octet, in both cases, and then at what is around it.
func (m *Matcher) indexASCII(text []byte) bool {
	n := len(m.needle)
	if n == 0 {
		return true
	}
	if len(text) < n {
		return false
	}
	lower := m.needle[m.rare]
	upper := lower
	if 'a' <= lower && lower <= 'z' {
		upper -= 'a' - 'A'
	}
	// Where the octet may be, for the needle to fit.
	area := text[m.rare : len(text)-n+m.rare+1]
	next := func(c byte, from int) int {
		if i := bytes.IndexByte(area[from:], c); i >= 0 {
			return from + i
		}
		return len(area)
	}
	l, u := next(lower, 0), len(area)
	if upper != lower {
		u = next(upper, 0)
	}
	for l < len(area) || u < len(area) {
		i := min(l, u)
		if equalFold(text[i:i+n], m.text) {
			return true
		}
		if i == l {
			l = next(lower, i+1)
		} else {
			u = next(upper, i+1)
		}
	}
	return false
}
