// Command imapapp shows an app's own data as IMAP mailboxes, to be read with any mail
// program: no Maildir, and nothing kept for mail. Store.go, of under 60 lines, is all that it
// takes. Each folder is a mailbox, and the number of each article its UID, as rows of a
// database have one. Examples/notes has a mailbox that can be changed. Try it:
//
//	curl --user alice:alice imap://localhost:2143
//	curl --user alice:alice 'imap://localhost:2143/News;UID=2'
package main

import (
	"context"
	"log"
	"time"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/sasl"
)

func main() {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	articles := app{"INBOX": {}, "News": {articles: []article{{"Open", "We are.", noon}, {"Cake", "On Friday.", noon.AddDate(0, 0, 1)}}}}
	alice := sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
		if c.User == "alice" && c.Password == "alice" {
			return c.User, nil
		}
		return "", sasl.ErrDenied
	})
	s := &imap.Server{Addr: "localhost:2143", Backend: articles, Auth: alice, AllowInsecureAuth: true} // it listens to nobody else
	log.Fatal(s.ListenAndServe())
}
