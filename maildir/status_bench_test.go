package maildir_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// The status of 1,000 mailboxes with 100 messages each, of a process that has just
// started: what an IMAP client asks for first.
func BenchmarkListStatus(b *testing.B) {
	const mailboxes, messages = 1000, 100
	root := b.TempDir()
	open := func() mailparts.Store { return openStore(b, &maildir.Backend{Root: root}) }
	open()
	for i := range mailboxes - 1 {
		cur := filepath.Join(root, "user", fmt.Sprintf(".box%03d", i), "cur")
		must(b, os.MkdirAll(cur, 0o700))
		must(b, os.Mkdir(filepath.Join(filepath.Dir(cur), "new"), 0o700))
		for j := range messages {
			name := fmt.Sprintf("%d.M%dP1.host,S=%d,W=%d:2,S", 1_700_000_000+j, j, 0, 0)
			must(b, os.WriteFile(filepath.Join(cur, name), nil, 0o600))
		}
	}
	count := func(s mailparts.Store) (n int) {
		for info, err := range mailparts.ListStatus(context.Background(), s) {
			must(b, err)
			n += int(info.Status.Messages)
		}
		return n
	}
	for range 2 { // the second look is sure that it has missed nothing
		if n := count(open()); n != (mailboxes-1)*messages {
			b.Fatalf("%d messages", n)
		}
	}
	b.Run("List", func(b *testing.B) {
		for b.Loop() {
			for _, err := range open().List(context.Background()) {
				must(b, err)
			}
		}
	})
	b.Run("Status", func(b *testing.B) {
		for b.Loop() {
			count(open())
		}
	})
}
