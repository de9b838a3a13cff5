// Command gosmtp runs a Backend that was written for go-smtp on our server, as a
// program that has one can change its front door and keep the rest. Try it:
//
//	curl smtp://localhost:2525 --mail-from me@example.test --mail-rcpt you@example.test --crlf -T README.md
package main

import (
	"fmt"
	"io"
	"log"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts/smtp"
	adapter "github.com/mailparts/mailparts/smtp/gosmtp"
)

// backend is go-smtp's: nothing in it knows of us.
type backend struct{}

func (backend) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return new(session), nil }

type session struct {
	from string
	to   []string
}

func (s *session) Mail(from string, _ *gosmtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	fmt.Printf("from %s to %s\n%s", s.from, s.to, text) // after a Received field
	return nil
}

func (s *session) Reset()        { *s = session{} }
func (s *session) Logout() error { return nil }

func main() {
	s := &smtp.Server{Addr: "localhost:2525"}
	if err := adapter.Configure(s, backend{}); err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.ListenAndServe())
}
