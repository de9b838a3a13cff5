package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/maildir"
)

// Dovecot delivers to a mailbox, and a client of it flags and expunges, while a process
// of ours does the same. Nothing is lost or doubled, no UID is given to another message,
// and Dovecot finds nothing to complain of. Ours is a process of its own, because it
// must be the user that Dovecot is.
func TestMaildirAtOnceWithDovecot(t *testing.T) {
	const rounds = 25
	if root := os.Getenv("MAILPARTS_AT_ONCE"); root != "" {
		workAtOnce(t, root, rounds)
		return
	}
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	if _, err := (&maildir.Backend{Root: mail}).Open(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	d := dovecot(t, mail)
	theirs := newIMAPStore(t, d.imapAddr, "alice", "secret")
	validity := theirs.view("INBOX").UIDValidity

	ours := make(chan string, 1)
	process := asMail(t, "TestMaildirAtOnceWithDovecot", "MAILPARTS_AT_ONCE="+mail)
	go func() {
		out, err := process.CombinedOutput()
		if err != nil {
			t.Errorf("the process of user mail: %v\n%s", err, out)
		}
		ours <- string(out)
	}()
	client := &lmtp.Client{Addr: d.lmtp}
	for i := range rounds {
		for _, subject := range []string{"theirs", "doomed theirs", "theirs too"} {
			msg := fmt.Sprintf("Subject: %s %d\r\n\r\ntext\r\n", subject, i)
			if err := client.Deliver(t.Context(), toAll("alice"), strings.NewReader(msg)); err != nil {
				t.Error(err)
			}
		}
		for _, m := range theirs.view("INBOX").Messages {
			if strings.HasPrefix(subjectOf(m.Body), "doomed theirs") {
				theirs.expunge("INBOX", m.UID)
			}
		}
	}
	uids := map[string]string{} // what our process was told: UID, and subject
	for line := range strings.Lines(<-ours) {
		if uid, subject, ok := strings.Cut(strings.TrimSpace(line), " is "); ok {
			uids[uid] = subject
		}
	}

	got := theirs.view("INBOX")
	if got.UIDValidity != validity {
		t.Errorf("UIDVALIDITY is %d, was %d", got.UIDValidity, validity)
	}
	subjects := map[string]int{}
	for _, m := range got.Messages {
		subject := subjectOf(m.Body)
		subjects[subject]++
		if was, ok := uids[fmt.Sprint(m.UID)]; ok && was != subject {
			t.Errorf("UID %d is %q, and our process was told %q", m.UID, subject, was)
		}
	}
	for i := range rounds {
		for _, who := range []string{"theirs", "theirs too", "ours", "ours too"} {
			if n := subjects[fmt.Sprintf("%s %d", who, i)]; n != 1 {
				t.Errorf("message %q %d is there %d times", who, i, n)
			}
		}
	}
	if len(subjects) != 4*rounds {
		t.Errorf("there are %d messages, want %d: %v", len(subjects), 4*rounds, subjects)
	}
	run(t, "", "chown", "-R", "root:root", mail)
	ourView := (&ourStore{t, func() mailparts.Backend { return &maildir.Backend{Root: mail} }, func() {}}).view("INBOX")
	if !slices.Equal(ourView.Messages, got.Messages) {
		t.Errorf("at the end we show\n%+v\nand they\n%+v", ourView.Messages, got.Messages)
	}
	d.wantNoComplaint(t)
}

// asMail is a process of the user mail that runs one of this package's tests.
func asMail(t testing.TB, test string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(ownProgram(t), "-test.run=^"+test+"$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(t, "mail")}
	return cmd
}

// workAtOnce is what our process does.
func workAtOnce(t *testing.T, root string, rounds int) {
	mb := ourInbox(t, &maildir.Backend{Root: root})
	for i := range rounds {
		for _, subject := range []string{"ours", "doomed ours", "ours too"} {
			msg := fmt.Sprintf("Subject: %s %d\r\n\r\ntext\r\n", subject, i)
			in := mailparts.Incoming{Body: strings.NewReader(msg)}
			if subject == "doomed ours" {
				in.Flags = []mailparts.Flag{"Doomed"}
			}
			placed, err := mailparts.Append(t.Context(), mb, in)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("%v is %s %d\n", placed.UIDs, subject, i)
		}
		if _, _, err := mb.SetFlags(t.Context(), mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}); err != nil {
			t.Fatal(err)
		}
		if err := mb.Expunge(t.Context(), mailparts.AllUIDs(), "Doomed"); err != nil {
			t.Fatal(err)
		}
		for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
			if err != nil {
				t.Fatal(err)
			}
			_ = m
		}
	}
}
