package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// Whatever DATA is refused for, a message behind it that did not wait for 354 is
// not run as commands (RFC 2920 section 3.1).
func TestMessageAfterRefusedDATA(t *testing.T) {
	const (
		mail    = `MAIL FROM:<a@example.org>\r\n`
		rcpt    = `RCPT TO:<b@example.com>\r\n`
		unknown = `RCPT TO:<unknown@example.com>\r\n`
	)
	tests := []struct {
		name    string
		lmtp    bool
		command string
		replies []string
	}{
		{"no MAIL", false, `DATA`, []string{"503 5.5.1 Need MAIL first"}},
		{"no recipients", false, mail + unknown + `DATA`, []string{"250 ...", "550 ...", "554 5.5.1 No valid recipients"}},
		{"no recipients in LMTP", true, mail + unknown + `DATA`, []string{"250 ...", "550 ...", "503 5.5.1 No valid recipients"}},
		{"an argument", false, mail + rcpt + `data now`, []string{"250 ...", "250 ...", "501 5.5.4 This command takes no argument"}},
		{"a tab", false, mail + rcpt + `DATA\tnow`, []string{"250 ...", "250 ...", "500 5.5.2 Unknown command"}},
		{"odd octets", false, mail + rcpt + `DATA \xff`, []string{"250 ...", "250 ...", "501 5.5.2 Octets ..."}},
		{"LF alone", false, mail + rcpt + `DATA\nSubject: hello`, []string{"250 ...", "250 ...", "500 5.5.2 Lines end with CRLF: ..."}},
		{"CR alone", false, mail + rcpt + `DATA\r`, []string{"250 ...", "250 ...", "500 5.5.2 Lines end with CRLF: ..."}},
		{"too long", false, mail + rcpt + `DATA ` + strings.Repeat("x", 3000), []string{"250 ...", "250 ...", "500 5.5.2 Line too long"}},
		{"far too long", false, mail + rcpt + `DATA ` + strings.Repeat("x", 20000), []string{"250 ...", "250 ...", "500 5.5.2 Line too long"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := new(inbox)
			hello := "G: EHLO\n"
			if test.lmtp {
				hello = "G: LHLO\n"
			}
			s := &smtp.Server{Receiver: b, LMTP: test.lmtp}
			replies := "S: " + strings.Join(test.replies, "\nS: ") + "\n"
			play(t, s, hello+"C: "+test.command+`\r\nRSET\r\nMAIL FROM:<evil@example.org>\r\n`+rcpt+`DATA\r\nevil\r\n.
				`+replies+`
				S: 421 4.5.0 Data before its 354, closing the connection
				S!
			`)
			if b.open != 0 || b.count() != 0 {
				t.Errorf("%d messages, %d transactions open", b.count(), b.open)
			}
			// A peer that waits is served.
			play(t, &smtp.Server{Receiver: b, LMTP: test.lmtp}, hello+"C: "+test.command+"\n"+replies+`
				C: NOOP
				S: 250 2.0.0 OK
			`)
		})
	}
	t.Run("no Receiver", func(t *testing.T) {
		play(t, new(smtp.Server), `
			S: 521 ...
			C: DATA\r\nevil
			S: 521 5.3.2 This host does not accept mail
			S: 421 4.5.0 Data before its 354, closing the connection
			S!
		`)
	})
}

// Wherever the reads of the server, of 1 KB, cut what comes in one write.
func TestMessageAfterRefusedDATAInAnyRead(t *testing.T) {
	for pad := 900; pad < 1100; pad++ {
		b := new(inbox)
		c := dialServer(t, &smtp.Server{Receiver: b})
		c.play(t, "G: EHLO")
		c.send(t, "NOOP "+strings.Repeat("x", pad)+"\r\nDATA\r\nMAIL FROM:<evil@example.org>\r\n")
		c.play(t, `
			S: 250 2.0.0 OK
			S: 503 5.5.1 Need MAIL first
			S: 421 4.5.0 Data before its 354, closing the connection
			S!
		`)
		c.Close()
	}
}
