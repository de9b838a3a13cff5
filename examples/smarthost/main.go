// Command smarthost sends the message on its standard input through the server of
// a mail provider, with a password. Try it:
//
//	export SMARTHOST=smtp.example.com:465 MAIL_USER=me MAIL_PASSWORD=secret
//	printf 'From: me@example.com\nSubject: hello\n\nhello\n' |
//		go run ./examples/smarthost me@example.com you@example.org
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: smarthost FROM TO...")
	}
	relay := &smtp.Relay{
		Smarthost: os.Getenv("SMARTHOST"), // host:port
		Dialer: smtp.Dialer{
			TLS:  smtp.TLSMandatory, // STARTTLS, as on port 587
			Auth: smtp.PasswordAuth(os.Getenv("MAIL_USER"), os.Getenv("MAIL_PASSWORD")),
		},
	}
	if strings.HasSuffix(relay.Smarthost, ":465") {
		relay.Dialer.TLS = smtp.TLSImplicit
	}
	err := send(context.Background(), relay, os.Args[1], os.Args[2:], os.Stdin)
	relay.Close()
	if err != nil {
		log.Fatal(err) // a queue.Queue before the relay would try again
	}
}

func send(ctx context.Context, relay *smtp.Relay, from string, to []string, msg io.Reader) error {
	sender, err := mailparts.ParseAddress(from)
	env := &mailparts.Envelope{From: sender, Body: "8BITMIME"}
	for _, s := range to {
		addr, aerr := mailparts.ParseAddress(s)
		env.To, err = append(env.To, mailparts.Rcpt{Addr: addr}), errors.Join(err, aerr)
	}
	text, rerr := io.ReadAll(msg)
	if err = errors.Join(err, rerr); err != nil {
		return err
	}
	crlf := strings.ReplaceAll(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n", "\r\n")
	ctx = mailparts.WithReceipts(ctx, func(to mailparts.Rcpt, r mailparts.Receipt) {
		fmt.Println(to.Addr, "taken by", r.Host)
	})
	return smtp.FixUp(relay).Deliver(ctx, env, strings.NewReader(crlf))
}
