package maildir_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/maildir"
)

func TestParseSizeFile(t *testing.T) {
	for _, tc := range []struct {
		text, want string
		limits     maildir.Limits
	}{
		{"1000S,10C\n100 2\n-40 -1\n", "1000S,10C\n60 1\n", maildir.Limits{Storage: 1000, Messages: 10}},
		{"10C,1000S\n", "1000S,10C\nno sum\n", maildir.Limits{Storage: 1000, Messages: 10}},
		{"1000S", "1000S\nno sum\n", maildir.Limits{Storage: 1000}}, // by printf
		{"10C\r\n5 1\r\n", "10C\n5 1\n", maildir.Limits{Messages: 10}},
		{"0S\n5 1\n", "0S\n5 1\n", maildir.Limits{}}, // Dovecot counts without a limit
		{"1000S,7X\n5 1\n", "1000S,7X\n5 1\n", maildir.Limits{Storage: 1000}},
		{"1000S\n   5   1  \n\t6 1\n", "1000S\n11 2\n", maildir.Limits{Storage: 1000}}, // maildrop pads
		{"1000S\n5 1\n6", "1000S\n5 1\n", maildir.Limits{Storage: 1000}},               // torn
		{"1000S\n+5 1\n", "1000S\n5 1\n", maildir.Limits{Storage: 1000}},
		{"99999999999999999999S\n5 1\n", "2305843009213693951S\n5 1\n", maildir.Limits{Storage: 2305843009213693951}},

		{"1000S\n5 1\nx\n6 1\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},
		{"1000S\n5 1\n6 1 1\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},
		{"1000S\n\x00\x00\x005 1\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},
		{"1000S\n\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},
		{"1000S\n-5 1\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},
		{"1000S\n5 -1\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},
		{"1000S\n9223372036854775807 1\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},
		{"1000S\n2000000000000000000 1\n2000000000000000000 1\n", "1000S\nbad\n", maildir.Limits{Storage: 1000}},

		{"\n", "", maildir.Limits{}},
		{"1000\n5 1\n", "", maildir.Limits{}},
		{"S\n", "", maildir.Limits{}},
		{"-5S\n", "", maildir.Limits{}},
		{"1000S,\n", "", maildir.Limits{}},
		{"1000S;10C\n", "", maildir.Limits{}},
		{"NOQUOTA\n", "", maildir.Limits{}},
		{"\x00\x00\n", "", maildir.Limits{}},
	} {
		got, limits := maildir.ParseSizeFile(tc.text)
		if got != tc.want || limits != tc.limits {
			t.Errorf("%q is %q with %+v, want %q with %+v", tc.text, got, limits, tc.want, tc.limits)
		}
	}
}

// What is parsed and written again means the same.
func FuzzParseSizeFile(f *testing.F) {
	for _, seed := range []string{"1000S,10C\n100 2\n-40 -1\n", "1000S", "0S\n5 1\n6", "7X,1C\n \t5 +1\n", "1S\n\x00\n", "99999999999999999999C\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, limits := maildir.ParseSizeFile(text)
		if once == "" {
			return
		}
		if limits.Storage < 0 || limits.Messages < 0 {
			t.Errorf("%q has limits below zero: %+v", text, limits)
		}
		if twice, again := maildir.ParseSizeFile(once); again != limits || twice != once && !strings.HasSuffix(once, "m\n") && !strings.HasSuffix(once, "d\n") {
			t.Errorf("%q is %q, which is %q", text, once, twice)
		}
	})
}
