package smtp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// A newsletter goes over one connection, as long as one message follows another.
func ExamplePool() {
	t := new(testing.T) // in a test it is there
	sink := mailtest.NewSink(t)

	var pool smtp.Pool
	defer pool.Close()
	d := &smtp.Dialer{NetDial: sink.Dial}
	for _, to := range []mailparts.Address{"alice@example.com", "bob@example.com"} {
		env := &mailparts.Envelope{From: "news@example.org", To: []mailparts.Rcpt{{Addr: to}}}
		msg := strings.NewReader("Subject: News\r\n\r\nHello!\r\n")
		fmt.Println(to, pool.Deliver(context.Background(), d, "mx.example.com:25", env, msg))
	}
	// Output:
	// alice@example.com <nil>
	// bob@example.com <nil>
}
