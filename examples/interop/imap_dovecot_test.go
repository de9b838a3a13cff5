package interop_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/mailparts/mailparts"
)

// imapcSettings tell Dovecot to be a client of ours.
func imapcSettings(s *imapServer) []string {
	return []string{
		"imapc_host = localhost", "imapc_port = " + port(s.tlsAddr), "imapc_ssl = imaps", "imapc_user = alice", "imapc_password = " + password,
		"ssl_client_ca_file = " + s.certificate,
		"imapc_features = rfc822.size fetch-headers search modseq delay-login",
	}
}

// Dovecot takes a copy of our mailboxes, and keeps it alike in both directions.
func TestIMAPWithDsync(t *testing.T) {
	t.Parallel()
	doveadm := need(t, "doveadm")[0]
	s := startIMAP(t)
	s.numbered("INBOX", "one", "two", "three")
	s.numbered("Work/Past", "four")
	flagNamed(t, s.mailbox("INBOX"), "one", mailparts.FlagFlagged, "Work")
	mail := filepath.Join(folder(t), "mail")
	if err := os.MkdirAll(filepath.Join(mail, "alice"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := dovecot(t, mail, append(imapcSettings(s), "namespace inbox {\n inbox = yes\n separator = /\n}")...)
	sync := func(words ...string) {
		t.Helper()
		run(t, "", doveadm, slices.Concat([]string{"-c", d.conf}, words[:1], []string{"-u", "alice"}, words[1:], []string{"imapc:"})...)
	}
	theirs := func() *imapStore {
		st := newIMAPStore(t, d.imapAddr, "alice", "secret")
		st.slash = true
		return st
	}
	ours := func() *imapStore {
		st := newIMAPStore(t, s.addr, "alice", password)
		st.slash = true
		return st
	}
	alike := func(when string) {
		t.Helper()
		for _, name := range []string{"INBOX", "Work/Past"} {
			a, b := ours().view(name), theirs().view(name)
			if len(a.Messages) == 0 || !slices.Equal(a.Messages, b.Messages) {
				t.Errorf("%s, %s: we have %v, Dovecot %v", when, name, a, b)
			}
		}
	}
	sync("backup", "-R")
	alike("after backup -R")

	theirs().append("INBOX", letterNamed("theirs"), time.Unix(1577934245, 0), []mailparts.Flag{mailparts.FlagSeen})
	sync("sync")
	alike("after their message")
	s.numbered("INBOX", "ours")
	expungeNamed(t, s.mailbox("INBOX"), "two")
	flagNamed(t, s.mailbox("INBOX"), "three", mailparts.FlagAnswered)
	sync("sync")
	s.want("doveadm sync", "INBOX", `one: Work \Flagged`, `three: \Answered`, "ours:", `theirs: \Seen`)
	alike("after sync")
}

// A Dovecot that stores nothing itself serves our mailboxes.
// SEARCH comes first: after MOVE the imapc of Dovecot 2.3 fails an assertion of its own,
// in front of another Dovecot too.
func TestIMAPBehindDovecot(t *testing.T) {
	t.Parallel()
	s := startIMAP(t)
	s.numbered("INBOX", "one", "two", "three")
	s.mailbox("Work/Past")
	mail := filepath.Join(folder(t), "mail")
	if err := os.MkdirAll(filepath.Join(mail, "alice"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := dovecot(t, mail, append(imapcSettings(s), "mail_location = imapc:~/imapc", "namespace inbox {\n inbox = yes\n separator = /\n}")...)
	open := func(addr, password string) *imapStore {
		st := newIMAPStore(t, addr, "alice", password)
		st.slash = true
		return st
	}
	proxy := open(d.imapAddr, "secret")
	same := func(when string) {
		t.Helper()
		for _, name := range []string{"INBOX", "Work/Past"} {
			direct, through := open(s.addr, password).view(name), proxy.view(name)
			if !slices.Equal(direct.Messages, through.Messages) || direct.UIDValidity != through.UIDValidity {
				t.Errorf("%s, %s: we have %v, through Dovecot it is %v", when, name, direct, through)
			}
		}
	}
	same("at first")

	proxy.open("INBOX")
	found, err := proxy.client.UIDSearch(&goimap.SearchCriteria{Body: []string{"is three"}}, nil).Wait()
	proxy.must("SEARCH", err)
	if got := found.AllUIDs(); !slices.Equal(got, []goimap.UID{3}) {
		t.Errorf("through Dovecot SEARCH finds %v", got)
	}
	proxy.must("STORE", proxy.client.Store(goimap.UIDSetNum(1), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{`\Flagged`, "Work"}}, nil).Close())
	_, err = proxy.client.Copy(goimap.UIDSetNum(1), "Work/Past").Wait()
	proxy.must("COPY", err)
	_, err = proxy.client.Move(goimap.UIDSetNum(2), "Work/Past").Wait()
	proxy.must("MOVE", err)
	proxy.append("INBOX", letterNamed("four"), time.Unix(1577934245, 0), []mailparts.Flag{mailparts.FlagSeen})
	proxy.must("STORE", proxy.client.Store(goimap.UIDSetNum(3), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{`\Deleted`}}, nil).Close())
	proxy.must("EXPUNGE", proxy.client.Expunge().Close())
	s.want("Dovecot as proxy", "INBOX", `one: Work \Flagged`, `four: \Seen`)
	s.want("Dovecot as proxy", "Work/Past", `one: Work \Flagged`, "two:")
	same("after all")
}
