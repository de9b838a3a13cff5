package smtp_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// A partner's mail goes over verified TLS or not at all; all others have what can
// be had. The server here offers no TLS.
func ExampleTLSPolicies() {
	server, l := printing()
	defer server.Close()

	r := &smtp.Relay{
		Hostname:  "client.example.org",
		Resolver:  mailtest.NewDNS("partner.example A 192.0.2.1", "example.com A 192.0.2.1"), // stands for the DNS
		Dialer:    smtp.Dialer{NetDial: l.Dial},
		TLSPolicy: smtp.TLSPolicies{"partner.example": smtp.TLSMandatory},
	}
	for _, to := range []mailparts.Address{"bob@partner.example", "carol@example.com"} {
		env := &mailparts.Envelope{From: "alice@example.org", To: []mailparts.Rcpt{{Addr: to}}}
		err := r.Deliver(context.Background(), env, strings.NewReader("Subject: hello\r\n\r\nHello.\r\n"))
		fmt.Println(to, mailparts.RcptError(err, 0))
	}
	// Output:
	// bob@partner.example 451 4.7.4 TLS is required, and partner.example has none: STARTTLS is not offered
	// from alice@example.org: Hello.
	// carol@example.com <nil>
}
