package imap_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/mbox"
)

// loose has flags, IDs and special uses that cannot stand in a response.
type loose struct{ mailtest.Memory }

type looseStore struct{ mailparts.Store }

type looseMailbox struct{ mailparts.Mailbox }

func (b *loose) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Memory.Open(ctx, user)
	return looseStore{s}, err
}

func (s looseStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	return looseMailbox{mb}, err
}

func (s looseStore) List(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		for info, err := range s.Store.List(ctx) {
			info.Use = []string{`\Sent)`, `\Sent`, ""}
			if !yield(info, err) {
				return
			}
		}
	}
}

func (b looseMailbox) Status(ctx context.Context) (mailparts.Status, error) {
	st, err := b.Mailbox.Status(ctx)
	st.ID = "a b\r\n* BYE"
	st.PermanentFlags = append(st.PermanentFlags, "", "two words", "x)\r\n* BYE x", "fine")
	return st, err
}

func (b looseMailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		for m, err := range b.Mailbox.Messages(ctx, uids, q) {
			m.Flags = []mailparts.Flag{"", "(", mailparts.FlagSeen, "good", `\`, "é", "a\r\nb"}
			m.ID, m.ThreadID = "a b", "T-1_z"
			if !yield(m, err) {
				return
			}
		}
	}
}

// What a store says and IMAP cannot is left out, and the rest is told.
func TestWordsOfStores(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = new(loose) })
	r.fill("1\r\n")
	c := r.login()
	got := strings.Join(c.do("SELECT INBOX"), "\n")
	if strings.Contains(got, "BYE") || strings.Contains(got, "two") || strings.Contains(got, "MAILBOXID") ||
		!strings.Contains(got, `[PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft \* fine)]`) {
		t.Error(got)
	}
	c.play(`
		C: a FETCH 1 (FLAGS EMAILID THREADID)
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft fine good)
		S: * 1 FETCH (FLAGS (\Seen good) EMAILID NIL THREADID (T-1_z))
		S: a OK FETCH completed
		C: b STATUS INBOX (MESSAGES MAILBOXID)
		S: * STATUS INBOX (MESSAGES 1)
		S: b OK STATUS completed
		C: c LIST "" INBOX
		S: * LIST (\HasNoChildren \Sent) "/" INBOX
		S: c OK LIST completed
	`)
}

// An mbox has no place for a special use: no client is told that it may ask for one.
func TestSpecialUseOfMbox(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = &mbox.Backend{Root: t.TempDir()} })
	c := r.login()
	got := strings.Join(c.do("CAPABILITY"), "\n")
	if strings.Contains(got, "CREATE-SPECIAL-USE") || !strings.Contains(got, " SPECIAL-USE ") {
		t.Error(got)
	}
	equal(t, c.do(`CREATE Sent (USE (\Sent))`), []string{"NO [USEATTR] Not supported by this mail store"})
}
