package idn_test

import (
	"testing"

	"github.com/mailparts/mailparts/internal/idn"
)

func TestForms(t *testing.T) {
	for _, tt := range []struct{ domain, ascii, unicode string }{
		{"", "", ""},
		{"Example.ORG", "example.org", "example.org"},
		{"müller.test", "xn--mller-kva.test", "müller.test"},
		{"MÜLLER.test", "xn--mller-kva.test", "müller.test"},
		{"XN--Mller-KVA.test", "xn--mller-kva.test", "müller.test"},
		{"ｅxample。test", "example.test", "example.test"}, // full width, ideographic full stop
		{"[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]", "[ipv6:2001:db8::1]"},
		{"a_b.test", "a_b.test", "a_b.test"},
		{"xn--a.test", "xn--a.test", "xn--a.test"}, // no Punycode
		{"\u2024.test", "\u2024.test", "\u2024.test"},
	} {
		if got := idn.ASCII(tt.domain); got != tt.ascii {
			t.Errorf("ASCII(%q) = %q, want %q", tt.domain, got, tt.ascii)
		}
		if got := idn.Unicode(tt.domain); got != tt.unicode {
			t.Errorf("Unicode(%q) = %q, want %q", tt.domain, got, tt.unicode)
		}
	}
}
