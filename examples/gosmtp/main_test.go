package main

import (
	"strings"
)

func Example() {
	s, _ := backend{}.NewSession(nil)
	s.Mail("me@example.test", nil)
	s.Rcpt("you@example.test", nil)
	s.Data(strings.NewReader("Subject: hello\n\nhello\n"))
	// Output:
	// from me@example.test to [you@example.test]
	// Subject: hello
	//
	// hello
}
