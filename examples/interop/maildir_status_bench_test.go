package interop_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// BenchmarkListStatus asks for the status of 1,000 mailboxes of 100 messages each,
// as an IMAP client does when it comes: of Dovecot in a session that is logged in,
// and of a Backend that has just begun. Each has a tree of its own.
func BenchmarkListStatus(b *testing.B) {
	const mailboxes, messages = 1000, 100
	mail := folder(b)
	for _, user := range []string{"dovecot", "ours"} {
		for i := range mailboxes {
			dir := filepath.Join(mail, user, fmt.Sprintf(".box%03d", i))
			for _, sub := range []string{"tmp", "new", "cur"} {
				if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
					b.Fatal(err)
				}
			}
			for j := range messages {
				name := fmt.Sprintf("%d.M%dP1.host,S=3,W=4:2,S", 1_700_000_000+j, j)
				if err := os.WriteFile(filepath.Join(dir, "cur", name), []byte("\nb\n"), 0o600); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	check := func(b *testing.B, sum uint32) {
		if sum != mailboxes*messages {
			b.Fatalf("%d messages, want %d", sum, mailboxes*messages)
		}
	}
	run := func(name string, status func() uint32) {
		b.Run(name, func(b *testing.B) {
			for range 2 { // to have the indexes
				check(b, status())
			}
			for b.Loop() {
				check(b, status())
			}
		})
	}
	s := newIMAPStore(b, dovecot(b, mail).imapAddr, "dovecot", "secret")
	run("dovecot", func() (sum uint32) {
		list, err := s.client.List("", "*", &goimap.ListOptions{ReturnStatus: &goimap.StatusOptions{
			NumMessages: true, UIDNext: true, UIDValidity: true, NumUnseen: true}}).Collect()
		s.must("LIST", err)
		for _, data := range list {
			if data.Status != nil {
				sum += *data.Status.NumMessages
			}
		}
		return sum
	})
	run("mailparts", func() (sum uint32) {
		store, err := (&maildir.Backend{Root: mail}).Open(context.Background(), "ours")
		if err != nil {
			b.Fatal(err)
		}
		for info, err := range mailparts.ListStatus(context.Background(), store) {
			if err != nil {
				b.Fatal(err)
			}
			sum += info.Status.Messages
		}
		return sum
	})
}
