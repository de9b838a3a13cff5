package interop_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// Dovecot and we serve one tree in turn, and show the same UIDs, flags, keywords, dates
// and octets after each change, whoever makes it.
func TestMaildirInTurnWithDovecot(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	one := &maildir.Backend{Root: mail}
	store, err := one.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	mailboxes := []string{"INBOX", "Work/Größe"}
	if err := store.(mailparts.Manager).Create(context.Background(), mailboxes[1]); err != nil {
		t.Fatal(err)
	}
	d := dovecot(t, mail, "mail_debug = no")
	handOver := func() { run(t, "", "chown", "-R", "mail:mail", mail) }
	for _, ours := range []*ourStore{
		{t, func() mailparts.Backend { return one }, handOver},
		{t, func() mailparts.Backend { return &maildir.Backend{Root: mail} }, handOver},
	} {
		takeTurns(t, ours, newIMAPStore(t, d.imapAddr, "alice", "secret"), mailboxes, 40)
	}
}
