package sasl_test

import (
	"testing"
	"unicode/utf8"

	"github.com/mailparts/mailparts/sasl"
)

func TestPrepare(t *testing.T) {
	for _, tt := range []struct {
		in, want string // "": fails
	}{
		// RFC 4013 section 3.
		{"I\u00adX", "IX"},
		{"user", "user"},
		{"USER", "USER"},
		{"\u00aa", "a"},
		{"\u2168", "IX"},
		{"\x07", ""},
		{"\u06271", ""},

		{"", ""},
		{"\u00ad", ""},
		{"\xff", ""},
		{"a\x7f", ""},
		{"no\u00a0break", "no break"},
		{"🔑 emoji", "🔑 emoji"}, // unassigned in Unicode 3.2
		{"\ue000 private use", ""},
	} {
		got, err := sasl.Prepare(tt.in)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Prepare(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func FuzzPrepare(f *testing.F) {
	for _, s := range []string{"alice", "n\u0303andu\u0301", "\u06271", "\u0627\u0628", "🔑", "\xff", "\u00ad", "\u2168"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := sasl.Prepare(s)
		if (err == nil) != (p != "") || !utf8.ValidString(p) {
			t.Errorf("Prepare(%q) = %q, %v", s, p, err)
		}
	})
}
