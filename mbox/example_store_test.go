package mbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mbox"
)

// A mailbox as Dovecot and Alpine know it.
func ExampleBackend() {
	root, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)

	backend := &mbox.Backend{Root: root}
	ctx := context.Background()
	store, err := backend.Open(ctx, "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	inbox, err := store.Mailbox(ctx, "INBOX")
	if err != nil {
		fmt.Println(err)
		return
	}
	placed, err := mailparts.Append(ctx, inbox, mailparts.Incoming{
		Body:  strings.NewReader("Subject: hello\r\n\r\nFrom here on it is text.\r\n"),
		Flags: []mailparts.Flag{mailparts.FlagSeen},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("UID", placed.UIDs)

	text, err := os.ReadFile(filepath.Join(root, "alice", "inbox"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(text)) {
		name, _, ok := strings.Cut(line, ": ")
		if ok && name != "Subject" {
			line = name + ": …\n"
		}
		if !strings.HasPrefix(line, "From ") { // it has the date
			fmt.Print(line)
		}
	}
	// Output:
	// UID 1
	// X-IMAPbase: …
	// X-UID: …
	// Status: …
	// X-Status: …
	// X-Keywords: …
	// Content-Length: …
	// X-Mbox-Added: …
	// Subject: hello
	//
	// >From here on it is text.
}
