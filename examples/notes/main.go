// Command notes shows an app's own data as mail: its notes are a mailbox, which a
// mail program reads, files into and deletes from. Store.go is all that it takes.
// Try it:
//
//	curl --user alice:alice pop3://localhost:2110
//	curl --user alice:alice pop3://localhost:2110/1
package main

import (
	"context"
	"log"

	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/sasl"
)

func main() {
	app := NewApp("alice")
	app.Edit("alice", 0x9e3779b97f4a7c15, "Subject: Milk\r\n\r\nTwo bottles.\r\n")
	app.Edit("alice", 0x2545f4914f6cdd1d, "Subject: Idea\r\n\r\nA mailbox is a good user interface.\r\n")
	server := &pop3.Server{
		Addr:    "localhost:2110",
		Backend: app,
		Auth: sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
			if c.User == "alice" && c.Password == "alice" {
				return c.User, nil
			}
			return "", sasl.ErrDenied
		}),
		AllowInsecureAuth: true, // it listens to nobody else
	}
	log.Fatal(server.ListenAndServe())
}
