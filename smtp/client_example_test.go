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

// printing serves SMTP on a listener in memory and prints what it gets.
func printing() (*smtp.Server, *mailtest.Listener) {
	l := mailtest.NewListener()
	s := &smtp.Server{Hostname: "mx.example.com", Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
		func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
			all, err := io.ReadAll(msg)
			_, body, _ := strings.Cut(string(all), "\r\n\r\n")
			fmt.Printf("from %s: %s\n", env.From, strings.TrimSpace(body))
			return err
		}))}
	go s.Serve(l)
	return s, l
}

func ExampleDialer() {
	server, l := printing()
	defer server.Close()

	d := smtp.Dialer{
		Hostname: "client.example.org",
		NetDial:  l.Dial, // leave it out to dial for real
	}
	ctx := context.Background()
	c, err := d.Dial(ctx, "mx.example.com:25")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Quit(ctx)
	env := &mailparts.Envelope{From: "alice@example.org", To: []mailparts.Rcpt{{Addr: "bob@example.com"}}}
	if err := c.Deliver(ctx, env, strings.NewReader("Subject: hello\r\n\r\nHello, Bob.\r\n")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Host(), "has it")
	// Output:
	// from alice@example.org: Hello, Bob.
	// mx.example.com has it
}

func ExampleRelay() {
	server, l := printing()
	defer server.Close()

	dns := mailtest.NewDNS(`
		example.com    MX 10 mx.example.com
		mx.example.com A  192.0.2.1
		example.net    MX 0  .`)
	r := &smtp.Relay{ // the zero value relays for real
		Hostname: "client.example.org",
		Resolver: dns,
		Dialer:   smtp.Dialer{NetDial: l.Dial},
	}
	env := &mailparts.Envelope{From: "alice@example.org", To: []mailparts.Rcpt{
		{Addr: "bob@example.com"}, {Addr: "carol@example.net"}, {Addr: "dave@example.invalid"},
	}}
	err := r.Deliver(context.Background(), env, strings.NewReader("Subject: hello\r\n\r\nHello, all.\r\n"))
	for i, to := range env.To {
		fmt.Println(to.Addr, mailparts.RcptError(err, i))
	}
	// Output:
	// from alice@example.org: Hello, all.
	// bob@example.com <nil>
	// carol@example.net 556 5.1.10 Domain example.net accepts no mail
	// dave@example.invalid 550 5.1.2 Domain example.invalid does not exist
}
