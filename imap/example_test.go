package imap_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailparts/mailparts"
	mailpartsimap "github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/sasl"
)

// A server for the mailboxes of any Backend. This one is in memory; with a TLSConfig a
// server needs no AllowInsecureAuth.
func ExampleServer() {
	ctx := context.Background()
	backend := &mailtest.Memory{Users: []string{"alice"}}
	store, err := backend.Open(ctx, "alice")
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := store.Mailbox(ctx, "INBOX")
	if err != nil {
		log.Fatal(err)
	}
	message := "From: Bob <bob@example.com>\r\nSubject: Lunch?\r\n\r\nAt noon.\r\n"
	if _, err := mailparts.Append(ctx, inbox, mailparts.Incoming{Body: strings.NewReader(message)}); err != nil {
		log.Fatal(err)
	}

	s := &mailpartsimap.Server{
		Backend: backend,
		Auth: sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
			if c.User == "alice" && c.Password == "sesame" {
				return c.User, nil
			}
			return "", sasl.ErrDenied
		}),
		AllowInsecureAuth: true, // on 127.0.0.1
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go s.Serve(l)
	defer s.Shutdown(ctx)

	c, err := imapclient.DialInsecure(l.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("alice", "sesame").Wait(); err != nil {
		log.Fatal(err)
	}
	selected, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("messages:", selected.NumMessages)
	fetched, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{Envelope: true}).Collect()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(fetched[0].Envelope.From[0].Name, "asks:", fetched[0].Envelope.Subject)
	// Output:
	// messages: 1
	// Bob asks: Lunch?
}
