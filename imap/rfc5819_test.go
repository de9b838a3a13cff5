package imap_test

import (
	"context"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// share gives alice rights to bob's mailbox, which is made if it is not there.
func share(t testing.TB, b mailparts.Backend, owner, name string, rights mailparts.Rights) {
	t.Helper()
	s, err := b.Open(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	if name != "INBOX" {
		if err := s.(mailparts.Manager).Create(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.(mailparts.ACLer).SetACL(t.Context(), name, "alice", rights); err != nil {
		t.Fatal(err)
	}
}

// RFC 5819 section 3. In place of "bar" there are two that cannot be read: what is only a
// name, and a mailbox of bob's that alice may do no more with than see it.
func TestRFC5819(t *testing.T) {
	memory := new(mailtest.Memory)
	share(t, memory, "bob", "bar", "l")
	r := start(t, func(s *imap.Server) { s.Backend = memory })
	r.mailboxes("+INBOX", "foo", "+foo/below")
	r.fill("1\r\n", "2\r\n")
	r.login().play(`
		C: A01 LIST "" (% */bar) RETURN (STATUS (MESSAGES UNSEEN))
		S: * LIST () "/" INBOX
		S: * STATUS INBOX (MESSAGES 2 UNSEEN 2)
		S: * LIST (\NonExistent \HasChildren) "/" "Other Users"
		S: * LIST (\Noselect) "/" "Other Users/bob/bar"
		S: * LIST () "/" foo
		S: * STATUS foo (MESSAGES 0 UNSEEN 0)
		S: A01 OK LIST completed
		C: A02 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES))
		S: * LIST (\Subscribed) "/" INBOX
		S: * STATUS INBOX (MESSAGES 2)
		S: * LIST () "/" foo ("CHILDINFO" ("SUBSCRIBED"))
		S: A02 OK LIST completed
	`)
}

// vanishing is a Store of which a mailbox goes away after it is listed.
type vanishing struct{ mailparts.Store }

type vanishingBackend struct{ mailparts.Backend }

func (b vanishingBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return vanishing{s}, err
}

func (s vanishing) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if name == "foo" {
		return nil, mailparts.ErrNoMailbox
	}
	return s.Store.Mailbox(ctx, name)
}

// RFC 5819 section 2: no STATUS of what can no longer be selected, and LIST says so.
func TestRFC5819Race(t *testing.T) {
	memory := new(mailtest.Memory)
	start(t, func(s *imap.Server) { s.Backend = memory }).mailboxes("foo")
	start(t, func(s *imap.Server) { s.Backend = vanishingBackend{memory} }).login().play(`
		C: A01 LIST "" (INBOX foo) RETURN (STATUS (MESSAGES))
		S: * LIST () "/" INBOX
		S: * STATUS INBOX (MESSAGES 0)
		S: * LIST (\Noselect) "/" foo
		S: A01 OK LIST completed
	`)
}
