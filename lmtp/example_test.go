package lmtp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

func ExampleLocal() {
	ctx := context.Background()
	mail := &mailtest.Memory{Users: []string{"alice"}} // or a maildir.Backend
	local := &lmtp.Local{Backend: mail, Domains: []string{"example.com"}, Postmaster: "alice"}

	env := &mailparts.Envelope{From: "bob@example.org", To: []mailparts.Rcpt{
		{Addr: "alice+news@example.com"}, {Addr: "postmaster@example.com"}, {Addr: "carol@example.com"},
	}}
	err := local.Deliver(ctx, env, strings.NewReader("Subject: hello\r\n\r\nHello, Alice.\r\n"))
	for i, to := range env.To {
		fmt.Println(to.Addr, mailparts.RcptError(err, i))
	}

	store, _ := mail.Open(ctx, "alice")
	inbox, _ := store.Mailbox(ctx, "INBOX")
	for m := range inbox.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		body, _ := inbox.Body(ctx, m.UID)
		b, _ := io.ReadAll(body)
		body.Close()
		fmt.Print("\n", strings.ReplaceAll(string(b), "\r", ""))
	}
	// Output:
	// alice+news@example.com <nil>
	// postmaster@example.com <nil>
	// carol@example.com 550 5.1.1 No such user here: no such user
	//
	// Return-Path: <bob@example.org>
	// Delivered-To: alice+news@example.com
	// Delivered-To: postmaster@example.com
	// Subject: hello
	//
	// Hello, Alice.
}

// A server that delivers into mailboxes and refuses unknown users at RCPT, and a
// client of it.
func ExampleServer() {
	local := &lmtp.Local{Backend: &mailtest.Memory{Users: []string{"alice"}}}
	server := &lmtp.Server{Receiver: local}
	l := mailtest.NewListener() // or server.ListenAndServe()
	go server.Serve(l)
	defer server.Close()

	client := &lmtp.Client{Addr: "localhost:24", Dialer: smtp.Dialer{NetDial: l.Dial}}
	defer client.Close()
	env := &mailparts.Envelope{From: "bob@example.org", To: []mailparts.Rcpt{{Addr: "alice@example.com"}}}
	if err := client.Deliver(context.Background(), env, strings.NewReader("Subject: hello\r\n\r\nHello, Alice.\r\n")); err != nil {
		log.Fatal(err)
	}
	fmt.Println("delivered")
	// Output:
	// delivered
}
