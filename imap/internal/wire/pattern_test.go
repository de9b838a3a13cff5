package wire_test

import (
	"testing"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

func TestPattern(t *testing.T) {
	for _, test := range []struct{ in, want, rest string }{
		{`*`, "*", ""},
		{`a/%]x y`, "a/%]x", " y"},
		{`"two words*" %`, "two words*", " %"},
		{"{2+}\r\n*% RETURN", "*%", " RETURN"},
		{`"")`, "", ")"},
		{`a(b`, "a", "(b"},
	} {
		p := wire.NewParser([]byte(test.in))
		got := string(p.Pattern())
		rest := ""
		for p.More() {
			rest += string(p.Peek())
			p.Try(p.Peek())
		}
		if got != test.want || rest != test.rest || p.Err() != nil {
			t.Errorf("%q: %q, and then %q, %v", test.in, got, rest, p.Err())
		}
	}
	for _, in := range []string{"", " ", "(", ")", "\xe4", `"no end`, "{5}\r\nabc"} {
		p := wire.NewParser([]byte(in))
		if got := p.Pattern(); p.Err() == nil {
			t.Errorf("%q: %q, and no error", in, got)
		}
	}
}
