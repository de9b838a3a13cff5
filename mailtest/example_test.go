package mailtest_test

import (
	"context"
	"fmt"
	"net/smtp"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// exampleTB stands in for the *testing.T that a test has.
type exampleTB struct{ testing.T }

func (*exampleTB) Cleanup(func()) {}
func (*exampleTB) Helper()        {}

// What a program sends is there as Go values.
func ExampleSink() {
	t := new(exampleTB) // the test's own
	s := mailtest.NewSink(t)
	s.Users = map[string]string{"app": "sesame"}

	// The program under test.
	auth := smtp.PlainAuth("", "app", "sesame", "127.0.0.1")
	err := smtp.SendMail(s.Addr(), auth, "app@example.net", []string{"alice@example.com"},
		[]byte("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello, Alice.\r\n"))
	if err != nil {
		t.Fatal(err)
	}

	m, err := s.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(m.Envelope.Peer.User, "sends", m.Envelope.To[0].Addr, m.Header("Subject"))
	// Output: app sends alice@example.com Grüße
}

// A sink fails where the test wants it to.
func ExampleSink_refuse() {
	t := new(exampleTB) // the test's own
	s := mailtest.NewSink(t)
	s.Filters = []mailparts.Filter{
		mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
			return &mailparts.Error{Code: 450, Status: "4.2.1", Message: "Mailbox busy"}
		}),
	}
	fmt.Println(smtp.SendMail(s.Addr(), nil, "app@example.net", []string{"alice@example.com"}, nil))
	// Output: 450 "4.2.1 Mailbox busy"
}
