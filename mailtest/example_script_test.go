package mailtest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	netsmtp "net/smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// A server is held to a dialogue, here up to MAIL, which it ought to refuse.
func ExamplePlayer() {
	l := mailtest.NewListener()
	defer l.Close()
	go func() { // the server under test
		nc, err := l.Accept()
		if err != nil {
			return
		}
		io.WriteString(nc, "220 mx.example.com\r\n250 mx.example.com\r\n250 OK\r\n")
	}()

	nc, err := l.Dial(context.Background(), "", "")
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	p := &mailtest.Player{Conn: nc}
	fmt.Println(p.Play(context.Background(), `
		S: 220 ...
		C: EHLO client.example.org
		S: 250 mx.example.com
		C: MAIL FROM:<alice@example..org>
		S: 501 ...`))
	// Output: mailtest: line 6 of the script, "S: 501 ...": got "250 OK"
}

// A client meets a server that does as the script has it, and not otherwise.
func ExampleScriptServer() {
	t := new(exampleTB) // the test's own
	s := mailtest.NewScriptServer(t, `
		G: RCPT
		S: 452 4.2.2 Mailbox full
		C: QUIT
		S: 221 Bye`)
	c, err := netsmtp.Dial(s.Addr()) // the program under test
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Mail("alice@example.org"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Rcpt("bob@example.com"))
	fmt.Println(c.Quit())
	// Output:
	// 452 "4.2.2 Mailbox full"
	// <nil>
}

// The mail of a good client is for later, whatever the server does.
func ExampleBadServers() {
	t := new(exampleTB) // the test's own
	for _, b := range mailtest.BadServers() {
		if b.Name != "busy greeting" && b.Name != "endless line" {
			continue // a test has them all
		}
		d := smtp.Dialer{Hostname: "client.example.org", NetDial: b.Start(t).Dial}
		_, err := d.Dial(context.Background(), "mx.example.com:25")
		fmt.Printf("it %s: temporary: %t\n", b.About, mailparts.AsError(err).Temporary())
	}
	// Output:
	// it greets with 421: temporary: true
	// it greets in a line without end: temporary: true
}
