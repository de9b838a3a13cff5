package utf7_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mailparts/mailparts/internal/utf7"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"":                   "",
		"INBOX":              "INBOX",
		" ~!\"%*":            " ~!\"%*",
		"&":                  "&-",
		"a & b":              "a &- b",
		"Entwürfe":           "Entw&APw-rfe",
		"~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-", // RFC 3501 section 5.1.3
		"💌":                  "&2D3cjA-",
		"é&é":                "&AOk-&-&AOk-",
		"\u00a0\u200b":       "&AKAgCw-",
		"a\tb\x7f\x00":       "a&AAk-b&AH8AAA-",
		"\ufffd":             "&,,0-",
	} {
		got := utf7.Encode(name)
		back, ok := utf7.Decode(got)
		if got != want || back != name || !ok {
			t.Errorf("%q is %q, and that is %q, %v; want %q", name, got, back, ok, want)
		}
	}
}

// A name that could be written in another way, or is none, is refused.
func TestRefused(t *testing.T) {
	for what, s := range map[string]string{
		"no end":                    "&AOk",
		"nothing but the beginning": "a&",
		"what stands for itself":    "&AGE-",
		"an ampersand in base64":    "&ACY-",
		"two runs beside another":   "&AOk-&AOk-",
		"no base64":                 "&AO!-",
		"a slash in base64":         "&U/BTFw-",
		"padding":                   "&AOk=-",
		"bits after the last octet": "&AOl-",
		"half a unit":               "&AO-",
		"half a pair":               "&2D0-",
		"a pair the wrong way":      "&3IzYPQ-",
		"UTF-8":                     "é",
		"no UTF-8":                  "\xff",
		"a control character":       "a\nb",
	} {
		if got, ok := utf7.Decode(s); ok {
			t.Errorf("%s: %q is %q, want nothing", what, s, got)
		}
	}
}

// FuzzDecode: whatever can be read is UTF-8 and has this spelling alone.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"INBOX", "&U,BTFw-/&ZeVnLIqe-", "&-&-", "&2D3cjA-", "&AOk", "a&b-c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, ok := utf7.Decode(s)
		if ok && (!utf8.ValidString(name) || utf7.Encode(name) != s) {
			t.Errorf("%q is %q, which is written %q", s, name, utf7.Encode(name))
		}
	})
}

// FuzzEncode: whatever is UTF-8 can be written, in printable US-ASCII, and read back.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"INBOX", "台北/日本語", "&&", "💌\x00", "é&é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			t.Skip()
		}
		s := utf7.Encode(name)
		back, ok := utf7.Decode(s)
		if back != name || !ok || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is %q, and that is %q, %v", name, s, back, ok)
		}
	})
}

func Example() {
	fmt.Println(utf7.Encode("Entwürfe & Übriges"))
	fmt.Println(utf7.Decode("Entw&APw-rfe &- &ANw-briges"))
	// Output:
	// Entw&APw-rfe &- &ANw-briges
	// Entwürfe & Übriges true
}
