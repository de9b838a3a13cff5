package smtp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

const evil = `RSET\r\nMAIL FROM:<evil@example.org>\r\n` // 36 octets

// Where nobody knows how long a chunk is, the connection ends before a line of it
// is run. go-smtp parses what follows a size of more than 32 bits as commands.
func TestBDATWithoutASize(t *testing.T) {
	for _, arg := range []string{
		``, ` -1`, ` +1`, ` x`, ` 0x10`, ` 1_0`, ` 1.0`, ` 9223372036854775808`, ` 18446744073709551616 LAST`, ` 36  LAST`, `  36`,
		` LAST`, ` 36 FIRST`, ` 36 LAST LAST`, ` 36LAST`, ` 36\0`, ` \xff`, ` 36\tLAST`, `\t36`, ` 36\rLAST`, ` 36\n`,
		` 36 ` + strings.Repeat("x", 3000), ` 36 ` + strings.Repeat("x", 20000),
	} {
		for name, script := range map[string]string{
			"without MAIL": "G: EHLO\n", "first": toBDAT,
			"later": toBDAT + `C: BDAT 7\r\nhello` + "\nS: 250 2.0.0 OK, 7 octets received\n",
		} {
			t.Run(fmt.Sprintf("%.20q/%s", arg, name), func(t *testing.T) {
				b := new(inbox)
				c := dialServer(t, &smtp.Server{Receiver: b})
				c.play(t, script+"C: BDAT"+arg+`\r\n`+evil)
				if l := c.line(t); l[:2] != "50" {
					t.Errorf("got %q", l)
				}
				c.play(t, `
					S: 421 4.5.0 A chunk without a known end, closing the connection
					S!
				`)
				if b.count() != 0 || b.open != 0 {
					t.Errorf("%d messages, %d transactions open", b.count(), b.open)
				}
			})
		}
	}
}

// A chunk that belongs to no message is read and dropped before it is refused.
func TestBDATOutOfOrder(t *testing.T) {
	for _, test := range []struct{ name, script, reply string }{
		{"before EHLO", "S: 220 ...", "503 5.5.1 An extension needs EHLO first"},
		{"after HELO", "G: HELO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK", "503 5.5.1 An extension needs EHLO first"},
		{"before MAIL", "G: EHLO", "503 5.5.1 Need MAIL first"},
		{"before RCPT", "G: EHLO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK", "554 5.5.1 No valid recipients"},
		{"RCPT refused", "G: EHLO\nC: MAIL FROM:<a@example.org>\\r\\nRCPT TO:<unknown@example.com>\nS: 250 2.1.0 OK\nS: 550 5.1.1 No such user", "554 5.5.1 No valid recipients"},
		{"after RSET", toBDAT + "C: RSET\nS: 250 2.0.0 OK", "503 5.5.1 Need MAIL first"},
		{"after LAST", toBDAT + "C: BDAT 0 LAST\nS: 250 2.0.0 OK queued as ID", "503 5.5.1 Need MAIL first"},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, &smtp.Server{Receiver: new(inbox)}, test.script+`
				C> BDAT 36\r\n`+evil+`BDAT 0\r\nBDAT 36 LAST\r\n`+evil+`NOOP\r\n
				S: `+test.reply+`
				S: `+test.reply+`
				S: `+test.reply+`
				S: 250 2.0.0 OK
			`)
		})
	}
}

// The classic vectors of SMTP smuggling: a chunk has no end but its size, and a
// text that another server might cut in two is refused.
func TestBDATFalseEnds(t *testing.T) {
	for _, end := range append([]string{"\r\n.\r\n"}, falseEnds...) {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			text := "Subject: hello\r\n\r\na" + end + smuggled
			bare := strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n")
			for _, normalize := range []bool{false, true} {
				for split := range len(text) + 1 {
					b := new(inbox)
					c := dialServer(t, &smtp.Server{Receiver: b, NormalizeLines: normalize})
					c.play(t, toBDAT)
					c.send(t, fmt.Sprintf("BDAT %d\r\n%sBDAT %d LAST\r\n%sNOOP\r\n", split, text[:split], len(text)-split, text[split:]))
					if first := c.line(t); bare && !normalize {
						c.play(t, "S: 550 5.6.0 CR or LF alone in the message: ...\nS: 250 2.0.0 OK")
					} else if first[0] != '2' {
						t.Fatalf("split at %d: %q", split, first)
					} else {
						c.play(t, "S: 250 2.0.0 OK queued as ID\nS: 250 2.0.0 OK")
					}
					want := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(text)
					if bare && !normalize {
						if b.count() != 0 || b.closed != 1 {
							t.Fatalf("split at %d: %d messages from %d transactions", split, b.count(), b.closed)
						}
					} else if got := b.only(t).content(t); got != want {
						t.Fatalf("split at %d: got %q, want %q", split, got, want)
					}
					c.Close()
				}
			}
		})
	}
}
