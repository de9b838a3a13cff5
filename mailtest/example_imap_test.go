package mailtest_test

import (
	"fmt"
	"log"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailparts/mailparts/mailtest"
)

// An IMAP server for a test is one line.
func ExampleNewServer_imap() {
	t := new(exampleTB) // the test's own
	s := mailtest.NewServer(t, "alice")

	// The program under test.
	c, err := imapclient.DialTLS(s.IMAPSAddr, &imapclient.Options{TLSConfig: s.TLSConfig})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("alice", mailtest.Password).Wait(); err != nil {
		log.Fatal(err)
	}
	if err := c.Create("Work/Plans", nil).Wait(); err != nil {
		log.Fatal(err)
	}
	list, err := c.List("", "*", nil).Collect()
	if err != nil {
		log.Fatal(err)
	}
	for _, mailbox := range list {
		fmt.Println(mailbox.Mailbox)
	}
	// Output:
	// INBOX
	// Work/Plans
}
