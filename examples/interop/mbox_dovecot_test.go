package interop_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mbox"
)

// dovecotMbox starts Dovecot on the trees of mboxes below mail, with its locks as in
// Debian. It writes flags at once only because it is told so: else they would stay in
// its own index until the mailbox is closed or longer, where nobody else sees them.
func dovecotMbox(t testing.TB, mail string) *dovecotServer {
	t.Helper()
	return dovecot(t, mail,
		"mail_location = mbox:"+mail+"/%n:INBOX="+mail+"/%n/inbox",
		"namespace inbox {\n inbox = yes\n separator = .\n}",
		"mbox_read_locks = fcntl",
		"mbox_write_locks = fcntl dotlock",
		"mbox_lazy_writes = no",
		"mbox_very_dirty_syncs = no",
		"mbox_dirty_syncs = no",
	)
}

// mboxStore is Dovecot, which has a tree of mboxes that we write too. Each of its turns
// is a session of its own: one that goes on trusts the places of messages that it has
// seen before we wrote.
type mboxStore struct {
	testing.TB
	addr string
}

func (s mboxStore) do(what func(theirs *imapStore)) {
	s.Helper()
	theirs := newIMAPStore(s, s.addr, "alice", "secret")
	what(theirs)
	theirs.must("LOGOUT", theirs.client.Logout().Wait())
	theirs.client.Close()
}

func (s mboxStore) append(name, body string, date time.Time, flags []mailparts.Flag) {
	s.Helper()
	s.do(func(theirs *imapStore) { theirs.append(name, body, date, flags) })
}

func (s mboxStore) flag(name string, uid uint32, op mailparts.FlagOp, flags []mailparts.Flag) {
	s.Helper()
	s.do(func(theirs *imapStore) { theirs.flag(name, uid, op, flags) })
}

func (s mboxStore) expunge(name string, uid uint32) {
	s.Helper()
	s.do(func(theirs *imapStore) { theirs.expunge(name, uid) })
}

// copy does nothing within one mailbox, where Dovecot 2.3 ends in an assertion now and
// then: it reads the file to which it appends.
func (s mboxStore) copy(name string, uid uint32, to string) {
	s.Helper()
	if name == to {
		return
	}
	s.do(func(theirs *imapStore) { theirs.copy(name, uid, to) })
}

// view has our messages as we show them: what Dovecot does not know is what we add to
// lines of "From ".
func (s mboxStore) view(name string) (v storeView) {
	s.Helper()
	s.do(func(theirs *imapStore) { v = theirs.view(name) })
	for i := range v.Messages {
		header, body, _ := strings.Cut(v.Messages[i].Body, "\r\n\r\n")
		if before, after, ok := strings.Cut("\r\n"+header+"\r\n", "\r\nX-Mbox-Added: quotes\r\n"); ok {
			header = strings.Trim(before+"\r\n"+after, "\r\n")
			body = strings.ReplaceAll("\r\n"+body, "\r\n>From ", "\r\nFrom ")[len("\r\n"):]
		}
		v.Messages[i].Body = header + "\r\n\r\n" + body
	}
	return v
}

// settle has Dovecot read all messages until it can: now and then its cache has a wrong
// size of one that it delivered while we wrote. That ends the session that finds it, and
// is forgotten then.
func (s mboxStore) settle(name string) {
	s.Helper()
	for range 10 {
		theirs := newIMAPStore(s, s.addr, "alice", "secret")
		theirs.open(name)
		err := theirs.client.Fetch(goimap.SeqSet{{Start: 1, Stop: 0}}, &goimap.FetchOptions{
			BodySection: []*goimap.FetchItemBodySection{{Peek: true}},
		}).Close()
		theirs.client.Close()
		if err == nil {
			return
		}
		s.Logf("Dovecot: %v", err)
	}
}

// Dovecot and we serve one tree of mboxes in turn, and show the same UIDs, flags,
// keywords, dates and octets after each change, whoever makes it.
func TestMboxInTurnWithDovecot(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	one := &mbox.Backend{Root: mail}
	store, err := one.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	mailboxes := []string{"INBOX", "Work/Größe"}
	if err := store.(mailparts.Manager).Create(context.Background(), mailboxes[1]); err != nil {
		t.Fatal(err)
	}
	// An INBOX without a file has its numbers from who looks first, for himself.
	appendTo(t, mboxInbox(t, mail), "Subject: first\r\n\r\n")
	d := dovecotMbox(t, mail)
	stamps := map[string]time.Time{filepath.Join(mail, "alice", "inbox"): {}, filepath.Join(mail, "alice", "Work", "Gr&APYA3w-e"): {}}
	handOver := func() {
		run(t, "", "chown", "-R", "mail:mail", mail)
		for file := range stamps {
			showToDovecot(t, file, stamps)
		}
	}
	for _, ours := range []*ourStore{
		{t, func() mailparts.Backend { return one }, handOver},
		{t, func() mailparts.Backend { return &mbox.Backend{Root: mail} }, handOver},
	} {
		takeTurns(t, ours, mboxStore{t, d.imapAddr}, mailboxes, 30)
	}
}

// showToDovecot gives a file that we have changed another second of modification.
// Dovecot looks at the seconds and the size only, so that a change of flags, which
// leaves the size, is not seen in the second of the last.
func showToDovecot(t testing.TB, file string, stamps map[string]time.Time) {
	t.Helper()
	fi, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if fi.ModTime().Equal(stamps[file]) {
		return
	}
	stamp := stamps[file]
	if now := time.Now().Truncate(time.Second); stamp.Before(now) {
		stamp = now
	}
	stamps[file] = stamp.Add(time.Second)
	if err := os.Chtimes(file, time.Time{}, stamps[file]); err != nil {
		t.Fatal(err)
	}
}

// Dovecot delivers by LMTP to a spool while we append, flag and expunge in it, and
// then shows the messages with the UIDs that we do.
func TestMboxDeliveryByDovecot(t *testing.T) {
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	mb := mboxInbox(t, mail)
	d := dovecotMbox(t, mail) // and hands all files over, which stay its
	c := &lmtp.Client{Addr: d.lmtp}
	whileServed(t, mb, slices.Concat(intact, quoted), func(msg string) {
		if err := c.Deliver(t.Context(), toAll("alice"), strings.NewReader(strings.ReplaceAll(msg, "\n", "\r\n"))); err != nil {
			t.Error(err)
		}
	})
	ours := &ourStore{t, func() mailparts.Backend { return &mbox.Backend{Root: mail} }, func() { run(t, "", "chown", "-R", "mail:mail", mail) }}
	theirs := mboxStore{t, d.imapAddr}
	a := ours.view("INBOX")
	theirs.settle("INBOX")
	if b := theirs.view("INBOX"); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("we have\n%+v\nDovecot has\n%+v", a, b)
	}
}

// mboxInbox is alice's INBOX in a tree of mboxes, the file mail/alice/inbox.
func mboxInbox(t testing.TB, mail string) mailparts.Mailbox {
	t.Helper()
	store, err := (&mbox.Backend{Root: mail}).Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	mb, err := store.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return mb
}
