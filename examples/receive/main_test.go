package main

import (
	"context"
	"strings"

	"github.com/mailparts/mailparts"
)

func Example() {
	env := &mailparts.Envelope{From: "me@example.test", To: []mailparts.Rcpt{{Addr: "you@example.test"}}}
	printMail(context.Background(), env, strings.NewReader("Subject: hello\n\nhello\n"))
	// Output:
	// me@example.test to you@example.test
	// Subject: hello
	//
	// hello
}
