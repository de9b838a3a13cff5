package smtp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// A filter before an MTA that somebody else wrote: what it refuses, that MTA never
// had, and nobody has to bounce.
func ExampleProxy() {
	inside := &smtp.Server{Hostname: "inside.example.com", Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
		func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
			_, err := io.Copy(io.Discard, msg)
			fmt.Println("inside: from", env.From)
			return err
		}))}
	within := mailtest.NewListener()
	go inside.Serve(within)
	defer inside.Close()

	proxy := &smtp.Proxy{Addr: "inside.example.com:10025", Dialer: smtp.Dialer{NetDial: within.Dial}}
	defer proxy.Pool.Close()
	noSpam := mailparts.OnMail(func(_ context.Context, env *mailparts.Envelope) error {
		if env.From.Domain() == "spam.example" {
			return &mailparts.Error{Code: 550, Status: "5.7.1", Message: "No spam, please"}
		}
		return nil
	})
	outside := &smtp.Server{Hostname: "mx.example.com", Receiver: mailparts.Chain(proxy, noSpam)}
	without := mailtest.NewListener()
	go outside.Serve(without)
	defer outside.Close()

	c, err := (&smtp.Dialer{NetDial: without.Dial}).Dial(context.Background(), "mx.example.com:25")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Quit(context.Background())
	for _, from := range []mailparts.Address{"a@example.org", "a@spam.example"} {
		env := &mailparts.Envelope{From: from, To: []mailparts.Rcpt{{Addr: "b@example.com"}}}
		fmt.Println(c.Deliver(context.Background(), env, strings.NewReader("Subject: hello\r\n\r\n")))
	}
	// Output:
	// inside: from a@example.org
	// <nil>
	// mx.example.com: 550 5.7.1 No spam, please
}
