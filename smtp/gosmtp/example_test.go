package gosmtp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
	adapter "github.com/mailparts/mailparts/smtp/gosmtp"
)

// printer is a Session as go-smtp's users write them.
type printer struct{}

func (printer) Mail(from string, _ *gosmtp.MailOptions) error { fmt.Println("from", from); return nil }
func (printer) Rcpt(to string, _ *gosmtp.RcptOptions) error   { fmt.Println("to", to); return nil }
func (printer) Reset()                                        {}
func (printer) Logout() error                                 { return nil }
func (printer) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	_, text, _ := strings.Cut(string(b), "\r\n\r\n")
	fmt.Print(text)
	return err
}

func ExampleConfigure() {
	backend := gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return printer{}, nil })

	s := &smtp.Server{Hostname: "mx.example.com"}
	if err := adapter.Configure(s, backend); err != nil {
		log.Fatal(err)
	}
	l := mailtest.NewListener()
	go s.Serve(l)
	defer s.Close()

	d := smtp.Dialer{NetDial: l.Dial}
	c, err := d.Dial(context.Background(), "mx.example.com:25")
	if err != nil {
		log.Fatal(err)
	}
	env := &mailparts.Envelope{From: "a@example.org", To: []mailparts.Rcpt{{Addr: "b@example.com"}}}
	if err := c.Deliver(context.Background(), env, strings.NewReader("Subject: hi\r\n\r\nhello\r\n")); err != nil {
		log.Fatal(err)
	}
	// Output:
	// from a@example.org
	// to b@example.com
	// hello
}
