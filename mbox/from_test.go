package mbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/mbox"
)

// What mail programs write as a From_ line, and what people write as a line of text.
func TestFromLine(t *testing.T) {
	at := time.Date(1992, time.December, 2, 5, 53, 22, 0, time.UTC)
	minute := at.Truncate(time.Minute)
	for _, tc := range []struct {
		line, sender string
		date         time.Time // zero: no From_ line
	}{
		{"From user@example.com Wed Dec  2 05:53:22 1992", "user@example.com", at},
		{"From user@example.com Wed Dec 2 05:53:22 1992", "user@example.com", at},
		{"From user@example.com Wed Dec 02 05:53:22 1992", "user@example.com", at},
		{"From user@example.com  Wed Dec  2 05:53:22 1992", "user@example.com", at},
		{"From user Wed Dec  2 05:53 1992", "user", minute},
		{"From user Wed Dec  2 05:53:22 PST 1992", "user", at.Add(8 * time.Hour)},
		{"From user Wed Dec  2 05:53:22 CET 1992", "user", at}, // whose zone?
		{"From user Wed Dec  2 05:53:22 MET DST 1992", "user", at},
		{"From user Wed Dec  2 05:53:22 -0700 1992", "user", at.Add(7 * time.Hour)},
		{"From user Wed Dec  2 05:53:22 1992 PST", "user", at.Add(8 * time.Hour)},
		{"From user Wed Dec  2 05:53:22 1992 +0130", "user", at.Add(-90 * time.Minute)},
		{"From user Wed Dec  2 05:53:22 1992 -0700 remote from host", "user", at.Add(7 * time.Hour)},
		{"From user Wed Dec  2 05:53 1992 remote from host", "user", minute},
		{"From user Wed, 2 Dec 1992 05:53:22", "user", at},
		{"From user Wed, 02 Dec 1992 05:53 +0200", "user", minute.Add(-2 * time.Hour)},
		{"From MAILER-DAEMON Wed Dec  2 05:53:22 1992", "MAILER-DAEMON", at},
		{"From - Wed Dec  2 05:53:22 1992", "-", at},                                                     // Thunderbird
		{"From 1234@xxx Wed Dec 02 05:53:22 +0000 1992", "1234@xxx", at},                                 // Gmail
		{"From user at example.com  Wed Dec  2 05:53:22 1992", "user at example.com", at},                // Mailman
		{`From "a b"@example.com Wed Dec  2 05:53:22 1992`, `"a b"@example.com`, at},                     //
		{"From Wed Dec  2 05:53:22 1992", "", at},                                                        // nobody
		{"From Wed@Dec Wed Dec  2 05:53:22 1992\r", "Wed@Dec", at},                                       // CRLF
		{"From a Thu Wed Wed Dec  2 05:53:22 1992 Thu", "a Thu Wed", at},                                 //
		{"From a Wed Dec  2 05:53:22 1992 Thu Dec  3 05:53:22 1992", "a", at},                            // the first
		{"From " + strings.Repeat("a", 980) + " Wed Dec  2 05:53:22 1992", strings.Repeat("a", 980), at}, //

		{line: "From here on we know that Wed Dec is no date"},
		{line: "From user"},
		{line: "From "},
		{line: "From"},
		{line: ""},
		{line: "from user Wed Dec  2 05:53:22 1992"},
		{line: ">From user Wed Dec  2 05:53:22 1992"},
		{line: " From user Wed Dec  2 05:53:22 1992"},
		{line: "From: user Wed Dec  2 05:53:22 1992"},
		{line: "From\tuser Wed Dec  2 05:53:22 1992"},
		{line: "From user Wed Dec 32 05:53:22 1992"},
		{line: "From user Wed Dec  0 05:53:22 1992"},
		{line: "From user Wed Dec  2 24:53:22 1992"},
		{line: "From user Wed Dec  2 05:60:22 1992"},
		{line: "From user Wed Dec  2 05:53:61 1992"},
		{line: "From user Wed Dec  2 05:5 1992"},
		{line: "From user Wed Dec  2 05.53.22 1992"},
		{line: "From user Wed Dec  2 05:53:22 92"},
		{line: "From user Wed Dec  2 05:53:22 19922"},
		{line: "From user Wed Dec  2 05:53:22"},
		{line: "From user Wed Dec  2 05:53:22 we met"},
		{line: "From user Wed Dec  2 05:53:22 A B C 1992"},
		{line: "From user Wed Dec  2 05:53:22 +0160 1992"},
		{line: "From user Wed, 2 Dez 1992 05:53:22"},
		{line: "From user Wed, 2 Dec 1992"},
		{line: "From user Wed, 0 Dec 1992 05:53:22"},
		{line: "From user Wed, 2 Dec 92 05:53:22"},
		{line: "From user Wed; 2 Dec 1992 05:53:22"},
		{line: "From user Mit Dez  2 05:53:22 1992"},
		{line: "From user 1992-12-02 05:53:22"},
		{line: "From userWed Dec  2 05:53:22 1992"},
		{line: "From " + strings.Repeat("a", 1000) + " Wed Dec  2 05:53:22 1992"},
	} {
		sender, date, ok := mbox.ParseFrom(tc.line)
		if ok == tc.date.IsZero() || ok && (sender != tc.sender || !date.Equal(tc.date)) {
			t.Errorf("%.80q: %.40q %v, %v; want %.40q %v", tc.line, sender, date, ok, tc.sender, tc.date)
		}
	}
}
