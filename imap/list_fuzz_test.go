package imap

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// expression is what a pattern means, for comparison.
func expression(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := range len(pattern) {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(".*")
		case '%':
			b.WriteString("[^/]*")
		default:
			b.WriteString(regexp.QuoteMeta(string(rune(c))))
		}
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

func TestPattern(t *testing.T) {
	for _, test := range []struct {
		pattern   string
		yes, no   []string
		levelsToo bool
	}{
		{"*", []string{"", "a", "a/b/c"}, nil, false},
		{"%", []string{"", "a"}, []string{"a/b", "/"}, true},
		{"a/%", []string{"a/", "a/b"}, []string{"a", "a/b/c", "b/c"}, true},
		{"%/%", []string{"a/b", "/"}, []string{"a", "a/b/c"}, true},
		{"*/b%c", []string{"a/bc", "a/b/bxc"}, []string{"a/b/c", "bc"}, false},
		{"%*%", []string{"", "a/b/c"}, nil, true},
		{"a*b*c", []string{"abc", "a/b/c", "aabbcc"}, []string{"ab", "acb", "abcd"}, false},
		{"a", []string{"a"}, []string{"", "A", "ab", "a/"}, false},
		{"&*", []string{"&", "&x"}, []string{"x"}, false},
	} {
		p := newPattern(test.pattern)
		if p.levels != test.levelsToo {
			t.Errorf("%q: levels %v", test.pattern, p.levels)
		}
		for _, name := range test.yes {
			if !p.match(name) {
				t.Errorf("%q does not match %q", test.pattern, name)
			}
		}
		for _, name := range test.no {
			if p.match(name) {
				t.Errorf("%q matches %q", test.pattern, name)
			}
		}
	}
}

// A pattern that would take for ever by backtracking.
func TestPatternCostsLittle(t *testing.T) {
	p := newPattern(strings.Repeat("*a%a", 500) + "b")
	name := strings.Repeat("a", 2000)
	for range 10 { // one alone would not end if it tried all ways
		if p.match(name) {
			t.Fatal("it matches")
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{"*", "INBOX"}, {"%", "a/b"}, {"a*b%c*", "axxb/c"}, {"%%**%a", "a"}, {"*a*a*a", "aaaa"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		if len(text) > 200 || len(name) > 200 {
			return
		}
		for _, s := range []string{text, name} { // octets of UTF-8 would be runes of the expression
			if strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
				return
			}
		}
		p := newPattern(text)
		want := expression(text).MatchString(name)
		if got, again := p.match(name), p.match(name); got != want || again != want {
			t.Errorf("%q matches %q: %v, and then %v", text, name, got, again)
		}
	})
}

// Whatever comes, the parsers of LIST and its kin end, with an error or without, and leave
// nothing behind a command that they took.
func FuzzListParser(f *testing.F) {
	for _, seed := range []string{
		` "" "*"`, ` (SUBSCRIBED RECURSIVEMATCH) "" (a "b%" {1+}` + "\r\nx" + `) RETURN (CHILDREN STATUS (MESSAGES SIZE))`,
		` (REMOTE SPECIAL-USE) ref/ % RETURN ()`, ` "" "&AOQ-*"`, ` ("name" "x" "version" NIL)`, ` NIL`,
		` box (USE (\Sent \Trash))`, ` (MESSAGES HIGHESTMODSEQ)`, ` "" (((((`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s := &session{}
		p := wire.NewParser(in)
		c := s.parseList(p)
		if p.End() == nil {
			if len(c.patterns.all) > maxPatterns || c.patterns.octets > maxPatternOctets || c.recursive && !c.subscribed && !c.specialUse {
				t.Errorf("accepted: %+v", c)
			}
			for _, p := range c.patterns.all {
				p.match(p.text)
			}
		}
		for _, parse := range []func(p *wire.Parser){
			func(p *wire.Parser) { parseUses(p) },
			func(p *wire.Parser) { parseStatusItems(p) },
			func(p *wire.Parser) {
				if fields := parseID(p); len(fields) > maxIDFields {
					t.Errorf("%d fields of ID", len(fields))
				}
			},
		} {
			p := wire.NewParser(in)
			p.SP()
			parse(p)
			p.End()
		}
	})
}
