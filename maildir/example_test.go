package maildir_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// A message goes in and is read back, with its flag.
func Example() {
	root, err := os.MkdirTemp("", "maildir")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(root)

	ctx := context.Background()
	backend := &maildir.Backend{Root: root}
	store, err := backend.Open(ctx, "jane")
	if err != nil {
		panic(err)
	}
	inbox, err := store.Mailbox(ctx, "INBOX")
	if err != nil {
		panic(err)
	}
	placed, err := mailparts.Append(ctx, inbox, mailparts.Incoming{
		Body:  strings.NewReader("Subject: hello\n\nHow are you?\n"),
		Flags: []mailparts.Flag{mailparts.FlagFlagged},
	})
	if err != nil {
		panic(err)
	}
	for msg, err := range inbox.Messages(ctx, placed.UIDs, mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			panic(err)
		}
		body, err := inbox.Body(ctx, msg.UID)
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(body)
		body.Close()
		fmt.Println(msg.UID, msg.Flags, msg.Size)
		fmt.Printf("%q\n", text)
	}
	// Output:
	// 1 [\Flagged] 32
	// "Subject: hello\r\n\r\nHow are you?\r\n"
}
