package smtp_test

import (
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// RFC 9422 section 5, and what its section 4.2 cannot tell.
func TestLimitsExtension(t *testing.T) {
	for max, want := range map[int]string{20: "RCPTMAX=20", 0: "RCPTMAX=1000", 999999: "RCPTMAX=999999", 1000000: "", -1: ""} {
		for _, hello := range []string{"EHLO", "LHLO"} {
			c := dialServer(t, &smtp.Server{Receiver: new(inbox), MaxRecipients: max, LMTP: hello == "LHLO"})
			c.play(t, "S: 220 ...")
			if got, ok := c.offered(t, hello)["LIMITS"]; got != want || ok != (want != "") {
				t.Errorf("MaxRecipients %d: %s shows %q, %v, want %q", max, hello, got, ok, want)
			}
		}
	}
}

// As many recipients as are told are taken.
func TestLimitsExtensionIsTrue(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), MaxRecipients: 2}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nRCPT TO:<d@example.com>
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 250 2.1.5 OK
		S: 452 4.5.3 Too many recipients
	`)
}
