package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

func TestXtext(t *testing.T) {
	tests := []struct{ plain, coded string }{
		{"", ""},
		{"rfc822;Dana@Ivory.EDU", "rfc822;Dana@Ivory.EDU"},
		{"a+b=c", "a+2Bb+3Dc"}, // RFC 3461 section 4
		{"two words", "two+20words"},
		{"\r\n\x00\x7f", "+0D+0A+00+7F"},
		{"\u00e9", "+C3+A9"},
		{"!~", "!~"},
	}
	for _, test := range tests {
		if got := smtp.EncodeXtext(test.plain); got != test.coded {
			t.Errorf("encoded %q: %q, want %q", test.plain, got, test.coded)
		}
		if got, ok := smtp.DecodeXtext(test.coded); !ok || got != test.plain {
			t.Errorf("decoded %q: %q, %v, want %q", test.coded, got, ok, test.plain)
		}
	}
	for _, bad := range []string{"+", "a+", "a+4", "+4g", "+2b", "++2B", "+ 1"} {
		if got, ok := smtp.DecodeXtext(bad); ok {
			t.Errorf("decoded %q: %q", bad, got)
		}
	}
}

// FuzzXtext: whatever is encoded is a parameter's value and comes back.
func FuzzXtext(f *testing.F) {
	f.Add("rfc822;a+b=c@example.com")
	f.Add("\r\nQUIT")
	f.Add("\xff\x00 +2B")
	f.Fuzz(func(t *testing.T, s string) {
		coded := smtp.EncodeXtext(s)
		if i := strings.IndexFunc(coded, func(r rune) bool { return r < '!' || r > '~' || r == '=' }); i >= 0 {
			t.Errorf("%q is encoded as %q", s, coded)
		}
		if back, ok := smtp.DecodeXtext(coded); !ok || back != s {
			t.Errorf("%q came back as %q, %v", s, back, ok)
		}
	})
}
