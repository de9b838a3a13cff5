package pop3_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/textproto"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/sasl"
)

// A maildrop in memory, served on loopback and read as a client reads it.
func Example() {
	ctx := context.Background()
	backend := new(mailtest.Memory)
	store, err := backend.Open(ctx, "alice")
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := store.Mailbox(ctx, "INBOX")
	if err != nil {
		log.Fatal(err)
	}
	message := strings.NewReader("From: bob@example.com\r\nSubject: Lunch?\r\n\r\nAt noon.\r\n")
	if _, err := mailparts.Append(ctx, inbox, mailparts.Incoming{Body: message}); err != nil {
		log.Fatal(err)
	}

	srv := &pop3.Server{
		Hostname: "pop.example.com",
		Backend:  backend,
		Auth: sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
			if c.User == "alice" && c.Password == "secret" {
				return "alice", nil
			}
			return "", sasl.ErrDenied
		}),
		AllowInsecureAuth: true, // never leaves this machine
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go srv.Serve(l)
	defer srv.Close()

	c, err := textproto.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	c.PrintfLine("USER alice\r\nPASS secret\r\nLIST 1\r\nTOP 1 1\r\nQUIT") // pipelined
	for {
		line, err := c.ReadLine()
		if err != nil {
			break
		}
		fmt.Println(line)
	}
	// Output:
	// +OK pop.example.com POP3 server ready
	// +OK Send PASS
	// +OK The maildrop has 1 messages (52 octets)
	// +OK 1 52
	// +OK Top of message follows
	// From: bob@example.com
	// Subject: Lunch?
	//
	// At noon.
	// .
	// +OK Goodbye, the maildrop has 1 messages (52 octets)
}
