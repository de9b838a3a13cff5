package mailparts_test

import (
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"user@example.org", "user@example.org"},
		{"User.Name+detail@Example.ORG", "User.Name+detail@Example.ORG"},
		{"!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"},
		{"a@b", "a@b"},
		{"1@2.3", "1@2.3"},
		{"postmaster@[127.0.0.1]", "postmaster@[127.0.0.1]"},
		{"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
		{"a@[ipv6:::]", "a@[ipv6:::]"},
		{"a@[IPv6:::ffff:192.0.2.1]", "a@[IPv6:::ffff:192.0.2.1]"},
		{"a@[X-tag:any.thing!]", "a@[X-tag:any.thing!]"},
		{"a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},

		// RFC 6531 section 3.3.
		{"jörg@bücher.example", "jörg@bücher.example"},
		{"用户@例え.テスト", "用户@例え.テスト"},
		{`"jö rg"@example.org`, `"jö rg"@example.org`},

		// The same mailbox has one form (RFC 5321 section 4.1.2, last paragraphs).
		{`"user"@example.org`, "user@example.org"},
		{`"us\er"@example.org`, "user@example.org"},
		{`"a.b"@example.org`, "a.b@example.org"},
		{`"a..b"@example.org`, `"a..b"@example.org`},
		{`".a"@example.org`, `".a"@example.org`},
		{`"a b"@example.org`, `"a b"@example.org`},
		{`"a\ b"@example.org`, `"a b"@example.org`},
		{`"a@b"@example.org`, `"a@b"@example.org`},
		{`"a\"b\\c"@example.org`, `"a\"b\\c"@example.org`},
		{`"a>b SIZE=1"@example.org`, `"a>b SIZE=1"@example.org`},
		{`""@example.org`, `""@example.org`},

		// The limits, each at its last octet.
		{strings.Repeat("l", 64) + "@example.org", strings.Repeat("l", 64) + "@example.org"},
		{"a@" + strings.Repeat("d", 63) + ".example", "a@" + strings.Repeat("d", 63) + ".example"},
		{"a@" + domainOf(252), "a@" + domainOf(252)},
	} {
		got, err := mailparts.ParseAddress(c.in)
		if err != nil || string(got) != c.want {
			t.Errorf("ParseAddress(%q) = %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}

// domainOf is a domain of n octets.
func domainOf(n int) string {
	return strings.Repeat("d23456789.", n/10) + strings.Repeat("x", n%10)
}

func TestParseAddressRefuses(t *testing.T) {
	for what, in := range map[string]string{
		"null path":                   "",
		"postmaster alone":            "postmaster",
		"no domain":                   "user@",
		"no local part":               "@example.org",
		"only an at sign":             "@",
		"two at signs":                "a@b@example.org",
		"a dot first":                 ".a@example.org",
		"a dot last":                  "a.@example.org",
		"two dots":                    "a..b@example.org",
		"an empty label":              "a@b..c",
		"a dot before the domain":     "a@.b",
		"a dot after the domain":      "a@b.",
		"a hyphen first":              "a@-b",
		"a hyphen last":               "a@b-",
		"an underscore in the domain": "a@b_c",
		"a space":                     "a b@example.org",
		"a space before":              " a@example.org",
		"a space after":               "a@example.org ",
		"a comment":                   "a(c)@example.org",
		"a display name":              "A <a@example.org>",
		"angle brackets":              "<a@example.org>",
		"a source route":              "@relay:a@example.org",
		"a parameter":                 "a@example.org> SIZE=1",
		"CRLF":                        "a@example.org\r\nRCPT TO:<b@example.org>",
		"LF in the local part":        "a\nb@example.org",
		"LF in quotes":                "\"a\nb\"@example.org",
		"CR behind a backslash":       "\"a\\\rb\"@example.org",
		"NUL":                         "a\x00b@example.org",
		"NUL in quotes":               "\"a\x00b\"@example.org",
		"DEL in quotes":               "\"a\x7fb\"@example.org",
		"DEL":                         "a\x7f@example.org",
		"UTF-8 behind a backslash":    `"a\ö"@example.org`,
		"octets that are no UTF-8":    "a\xff@example.org",
		"no UTF-8 in the domain":      "a@b\xc3.org",
		"a surrogate":                 "a\xed\xa0\x80@example.org",
		"an open quote":               `"a@example.org`,
		"a quote that ends early":     `"a"b@example.org`,
		"a quote in the middle":       `a"b"@example.org`,
		"quotes with a dot":           `"a"."b"@example.org`,
		"a backslash last":            `"a\`,
		"a literal without brackets":  "a@[127.0.0.1",
		"an IPv4 literal too long":    "a@[1.2.3.4.5]",
		"an IPv4 literal too large":   "a@[1.2.3.256]",
		"an IPv6 literal untagged":    "a@[::1]",
		"an IPv6 literal with a zone": "a@[IPv6:fe80::1%eth0]",
		"IPv4 tagged as IPv6":         "a@[IPv6:127.0.0.1]",
		"an empty literal":            "a@[]",
		"a tag without content":       "a@[tag:]",
		"brackets in a literal":       "a@[tag:a]b]",
		"text after a literal":        "a@[127.0.0.1]b",
		"65 octets of local part":     strings.Repeat("l", 65) + "@example.org",
		"65 octets with the quotes":   `"` + strings.Repeat("l", 63) + `"@example.org`,
		"64 octets of a label":        "a@" + strings.Repeat("d", 64) + ".example",
		"256 octets of domain":        "a@" + domainOf(256),
		"255 octets in all":           "a@" + domainOf(253),
		"a megabyte":                  strings.Repeat("a", 1<<20),
		"a megabyte of quotes":        `"` + strings.Repeat(`\"`, 1<<19) + `"@example.org`,
	} {
		if got, err := mailparts.ParseAddress(in); !errors.Is(err, mailparts.ErrBadAddress) || got != "" {
			t.Errorf("%s: ParseAddress(%.60q) = %q, %v, want ErrBadAddress", what, in, got, err)
		}
	}
}

func TestAddressParts(t *testing.T) {
	for _, c := range []struct {
		addr          mailparts.Address
		local, domain string
		ascii         bool
	}{
		{"", "", "", true},
		{"postmaster", "postmaster", "", true},
		{"User@Example.ORG", "User", "example.org", true},
		{`"a b"@example.org`, "a b", "example.org", true},
		{`"a@b"@example.org`, "a@b", "example.org", true},
		{`"a\"b\\c"@example.org`, `a"b\c`, "example.org", true},
		{`""@example.org`, "", "example.org", true},
		{"a@[IPv6:2001:DB8::1]", "a", "[ipv6:2001:db8::1]", true},
		{"jörg@example.org", "jörg", "example.org", false},
		{"a@BÜCHER.example", "a", "bücher.example", false},
	} {
		if l, d := c.addr.Local(), c.addr.Domain(); l != c.local || d != c.domain {
			t.Errorf("%q has the parts %q and %q, want %q and %q", c.addr, l, d, c.local, c.domain)
		}
		if got := c.addr.IsASCII(); got != c.ascii {
			t.Errorf("IsASCII of %q is %t, want %t", c.addr, got, c.ascii)
		}
	}
}

// TestParseAddressVectors runs the is_email test set. It asks what RFC 5322
// would take too; accepted must be what it calls valid for RFC 5321, whatever
// the DNS says of the domain.
func TestParseAddressVectors(t *testing.T) {
	data, err := os.ReadFile("../shared/vectors/address/isemail-tests.xml")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the address test vectors are not beside this module")
	}
	if err != nil {
		t.Fatal(err)
	}
	var tests struct {
		Test []struct {
			ID        string `xml:"id,attr"`
			Address   string `xml:"address"`
			Category  string `xml:"category"`
			Diagnosis string `xml:"diagnosis"`
		} `xml:"test"`
	}
	if err := xml.Unmarshal(data, &tests); err != nil {
		t.Fatal(err)
	}
	if len(tests.Test) < 100 {
		t.Fatalf("only %d tests in the file", len(tests.Test))
	}
	accepted := map[string]bool{"ISEMAIL_VALID_CATEGORY": true, "ISEMAIL_DNSWARN": true, "ISEMAIL_RFC5321": true}
	for _, c := range tests.Test {
		want := accepted[c.Category]
		switch c.ID {
		case "66": // "[1111:2222:...]" is a General-address-literal with the tag 1111
			want = true
		case "71": // "::" for one group: RFC 5321 wants two, RFC 4291 takes one
			want = true
		}
		// The file has U+2400 to U+241F for the control characters.
		in := strings.Map(func(r rune) rune {
			if 0x2400 <= r && r < 0x2420 {
				r -= 0x2400
			}
			return r
		}, c.Address)
		if got, err := mailparts.ParseAddress(in); (err == nil) != want {
			t.Errorf("test %s (%s): ParseAddress(%q) = %q, %v, want accepted: %t", c.ID, c.Diagnosis, in, got, err, want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"", "postmaster", "a@b", `"a b"@c`, `"a\"\\"@c`, "jörg@bücher.example", "a@[127.0.0.1]", "a@[IPv6:::1]", "a@[d:@::::.0.0.1]", `""@a`, `"`, `"\`, "a@b\r\nc", "@", "\xff@a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw := mailparts.Address(s)
		raw.Local() // of anything, without a panic
		raw.Domain()
		a, err := mailparts.ParseAddress(s)
		if err != nil {
			if !errors.Is(err, mailparts.ErrBadAddress) || a != "" {
				t.Fatalf("ParseAddress(%q) = %q, %v, want ErrBadAddress and nothing", s, a, err)
			}
			return
		}
		if again, err := mailparts.ParseAddress(string(a)); err != nil || again != a {
			t.Errorf("%q became %q, and that %q, %v", s, a, again, err)
		}
		if len(a) > len(s) || strings.ContainsAny(string(a), "\r\n\x00") {
			t.Errorf("%q became %q: longer, or with what ends a line", s, a)
		}
		// An address literal of a kind that nobody uses may hold an "@" (RFC 5321 section 4.1.3: dcontent).
		if d := a.Domain(); d == "" || d[0] != '[' && strings.Contains(d, "@") {
			t.Errorf("%q has the domain %q", a, a.Domain())
		}
		quoted := mailparts.Address(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Local()) + `"@` + a.Domain())
		if same, err := mailparts.ParseAddress(string(quoted)); err == nil && (same.Local() != a.Local() || same.Domain() != a.Domain()) {
			t.Errorf("%q, quoted as %q, is %q", a, quoted, same)
		}
	})
}
