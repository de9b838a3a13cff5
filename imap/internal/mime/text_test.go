package mime_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

func TestBinaryReader(t *testing.T) {
	for _, tt := range []struct{ encoding, in, want string }{
		{"7BIT", "a=3D", "a=3D"},
		{"binary", "a\x00b", "a\x00b"},
		{"", "x", "x"},
		{"Base64", "aGVs\r\nbG8=\r\n", "hello"},
		{"base64", "aGVsbG8", "hello"},        // no padding
		{"base64", "aGU=bGxv", "hello"},       // two of them
		{"base64", "aG\x00Vs*b-G8=", "hello"}, // octets that are none
		{"base64", "aGVsbG8=\r\n--\r\n", "hello"},
		{"base64", "a", ""},
		{"quoted-printable", "a=\r\nb=3D=3d  \r\nc \t\r\n", "ab==\r\nc\r\n"},
		{"quoted-printable", "a=20\r\nb", "a \r\nb"},
		{"quoted-printable", "a = \r\nb", "a b"},
		{"quoted-printable", "1=2 =ZZ=", "1=2 =ZZ"},
		{"quoted-printable", "a\nb=\nc", "a\nbc"},
		{"quoted-printable", "a\r=\r", "a\r=\r"},
	} {
		if got := string(decoded(t, strings.NewReader(tt.in), tt.encoding)); got != tt.want {
			t.Errorf("%s of %q is %q, want %q", tt.encoding, tt.in, got, tt.want)
		}
	}
	if _, err := mime.NewBinaryReader(strings.NewReader(""), "x-uuencode"); !errors.Is(err, mime.ErrUnknownEncoding) {
		t.Errorf("an unknown encoding has error %v", err)
	}
}

func TestTextReader(t *testing.T) {
	for _, tt := range []struct{ encoding, charset, in, want string }{
		{"7bit", "us-ascii", "abc", "abc"},
		{"8bit", "utf-8", "é", "é"},
		{"8bit", "ISO-8859-1", "\xe9", "é"},
		{"quoted-printable", "windows-1251", "=EF=F0", "пр"},
		{"base64", "utf-16le", "YQBiAA==", "ab"},
		{"base64", "utf-16", "//5hAA==", "a"},
		{"7bit", "utf-7", "A+ImIDkQ-.", "A≢Α."}, // RFC 2152
		{"7bit", "iso-2022-jp", "\x1b$BF|K\\\x1b(B", "日本"},
		{"7bit", "hz-gb-2312", "~{<:Ky2;S{~}", "己所不欲"},
		{"7bit", "x-unknown", "abc", "abc"},
		{"x-unknown", "utf-8", "abc", "abc"},
	} {
		b, err := io.ReadAll(mime.NewTextReader(&slowReader{tt.in, 3}, tt.encoding, tt.charset))
		if err != nil || string(b) != tt.want {
			t.Errorf("%q in %s and %s is %q, want %q; error %v", tt.in, tt.encoding, tt.charset, b, tt.want, err)
		}
	}
}

func TestMatcher(t *testing.T) {
	for _, tt := range []struct {
		needle, text string
		want         bool
	}{
		{"", "", true},
		{"a", "", false},
		{"HeLLo", "say hellO", true},
		{"hello", "hell o", false},
		{"[x]", "[X]", true},
		{"@", "`", false}, // which differ by the bit of case
		{"straße", "STRAßE", true},
		{"straße", "STRASSE", false}, // simple folding keeps lengths
		{"Σ", "ς", true},
		{"москва", "МОСКВА", true},
		{"k", "300 \u212a", true}, // the Kelvin sign
		{"\u017f", "S", true},     // the long s
		{"日本", "x日本x", true},
		{"é", "\xe9", false},
		{"e", "\xe9e", true},
		{"ⓐ", "Ⓐ", true},
	} {
		m := mime.NewMatcher(tt.needle)
		if got := m.MatchString(tt.text); got != tt.want {
			t.Errorf("%q in %q: %v", tt.needle, tt.text, got)
		}
		if got, err := m.Match(&slowReader{tt.text, 1}); got != tt.want || err != nil {
			t.Errorf("%q in %q, octet by octet: %v, error %v", tt.needle, tt.text, got, err)
		}
	}
}

func TestMatchAcrossReads(t *testing.T) {
	for _, needle := range []string{"needle", "Ναδελ", strings.Repeat("xyz", 20_000)} {
		m := mime.NewMatcher(strings.ToUpper(needle))
		for pad := 32<<10 - 30; pad < 32<<10+10; pad++ {
			found, err := m.Match(strings.NewReader(strings.Repeat("a", pad) + needle + strings.Repeat("b", 40_000)))
			if !found || err != nil {
				t.Fatalf("%.10q after %d octets is not found, error %v", needle, pad, err)
			}
		}
	}
}

func TestMatchError(t *testing.T) {
	bad := errors.New("bad")
	if found, err := mime.NewMatcher("x").Match(io.MultiReader(strings.NewReader("abc"), errReader{bad})); found || !errors.Is(err, bad) {
		t.Errorf("found %v, error %v", found, err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestParseDate(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Thu, 13 Feb 1969 23:32 -0330 (Newfoundland Time)", "1969-02-13T23:32:00-03:30"},
		{"1 Jan 99 00:00:01 EST", "1999-01-01T00:00:01-05:00"},
		{"1 Jan 07 00:00:01 GMT", "2007-01-01T00:00:01Z"},
		{"Mon Jan  2 15:04:05 2006", "2006-01-02T15:04:05Z"},         // asctime
		{"Mon Jan 2 15:04:05 MST 2006", "2006-01-02T15:04:05-07:00"}, // date
		{"2006-01-02 15:04:05 +01:00", "2006-01-02T15:04:05+01:00"},
		{"2-Jan-2006 12:04AM", "2006-01-02T00:04:00Z"},
		{"2-Jan-2006 3:04 PM", "2006-01-02T15:04:00Z"},
		{"Mon, 2 Jan 2006", "2006-01-02T00:00:00Z"},
		{"Mon,2 Jan 2006 15:04:05+0100", "2006-01-02T15:04:05+01:00"},
		{"2 Januar 2006 1:2:3 GMT+0200", "2006-01-02T01:02:03+02:00"},
		{"31 Feb 2006", ""},
		{"foo", ""},
		{"", ""},
		{"99999999999 Jan 2006", ""},
	} {
		got, ok := mime.ParseDate(tt.in)
		if ok != (tt.want != "") || ok && got.Format(time.RFC3339) != tt.want {
			t.Errorf("%q is %v %v, want %s", tt.in, got.Format(time.RFC3339), ok, tt.want)
		}
	}
}

func TestDatesOfOthers(t *testing.T) {
	b, err := os.ReadFile(vectors(t, "headers/date.json"))
	if err != nil {
		t.Fatal(err)
	}
	var tests []struct {
		Header   string
		Expected *struct {
			Year, Month, Day, Hour, Minute, Second int
			Before                                 bool `json:"tz_before_gmt"`
			TZHour                                 int  `json:"tz_hour"`
			TZMinute                               int  `json:"tz_minute"`
		}
	}
	if err := json.Unmarshal(b, &tests); err != nil {
		t.Fatal(err)
	}
	months := regexp.MustCompile(`(?i)jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec`)
	for _, tt := range tests {
		got, ok := mime.ParseDate(tt.Header)
		e := tt.Expected
		if e == nil || !months.MatchString(tt.Header) { // months as numbers can be anything
			continue
		}
		zone := e.TZHour*3600 + e.TZMinute*60
		if e.Before {
			zone = -zone
		}
		want := time.Date(e.Year, time.Month(e.Month), e.Day, e.Hour, e.Minute, e.Second, 0, time.FixedZone("", zone))
		if !ok || !got.Equal(want) {
			t.Errorf("%q is %v %v, want %v", tt.Header, got, ok, want)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"<a@b>", []string{"a@b"}},
		{" <a@b>\t<c@d> x <e@f", []string{"a@b", "c@d"}},
		{`<"a\"b" @ (c) d>`, []string{`a"b@d`}},
		{`<"01KF8JCEOCBS0045PS"@xxx.yyy.com>`, []string{"01KF8JCEOCBS0045PS@xxx.yyy.com"}}, // RFC 5256
		{"<a <b@c>", []string{"b@c"}},
		{"a@b", nil},
		{"<>", nil},
	} {
		if got := slices.Collect(mime.MessageIDs(tt.in)); !slices.Equal(got, tt.want) {
			t.Errorf("%q has %q, want %q", tt.in, got, tt.want)
		}
	}
}
