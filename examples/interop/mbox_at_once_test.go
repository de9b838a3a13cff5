package interop_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mbox"
)

// A client of Dovecot appends to an mbox, flags and expunges in it while we do the same.
// Both flag what the other has appended. Nothing is lost or doubled, no UID is given to
// another message, no flag and no keyword goes, and Dovecot finds nothing to complain of.
func TestMboxAtOnceWithDovecot(t *testing.T) {
	const rounds = 25
	t.Parallel()
	mail := filepath.Join(folder(t), "mail")
	mb := mboxInbox(t, mail)
	appendTo(t, mb, "Subject: first\r\n\r\n") // an INBOX without a file has no numbers for both
	validity := statusOf(t, mb).UIDValidity
	d := dovecotMbox(t, mail)
	theirs := newIMAPStore(t, d.imapAddr, "alice", "secret")

	ours := &mboxWorker{T: t, mailbox: mb, told: make(chan mailparts.UID, 2*rounds), subjects: map[mailparts.UID]string{}}
	done := make(chan struct{})
	go func() { defer close(done); ours.work(rounds) }()
	t.Cleanup(func() { <-done })
	flagOurs := func() {
		for len(ours.told) > 0 {
			theirs.flag("INBOX", uint32(<-ours.told), mailparts.AddFlags, []mailparts.Flag{mailparts.FlagAnswered, "Read"})
		}
	}
	for i := range rounds {
		for _, subject := range []string{"theirs", "doomed theirs", "theirs too"} {
			body := fmt.Sprintf("Subject: %s %d\r\n\r\nFrom them\r\n%s", subject, i, strings.Repeat("line\r\n", i))
			theirs.append("INBOX", body, time.Unix(1e9, 0), []mailparts.Flag{"Theirs"})
		}
		for _, m := range theirs.view("INBOX").Messages {
			if strings.HasPrefix(subjectOf(m.Body), "doomed theirs") {
				theirs.expunge("INBOX", m.UID)
			}
		}
		flagOurs()
	}
	<-done
	flagOurs()

	view := mboxStore{t, d.imapAddr}.view("INBOX")
	want := map[string]string{"first": ""} // the flags of each message, at least
	for i := range rounds {
		for _, too := range []string{"", " too"} {
			want[fmt.Sprintf("theirs%s %d", too, i)] = "Theirs"
			want[fmt.Sprintf("ours%s %d", too, i)] = `Ours Read \Answered \Seen`
		}
	}
	for _, m := range view.Messages {
		subject := subjectOf(m.Body)
		flags, ok := want[subject]
		if !ok {
			t.Errorf("%q is there, expunged or for the second time", subject)
		}
		delete(want, subject)
		if was := ours.subjects[mailparts.UID(m.UID)]; was != "" && was != subject {
			t.Errorf("UID %d is %q, and we were told %q", m.UID, subject, was)
		}
		if slices.Contains(ours.seen, mailparts.UID(m.UID)) && !strings.Contains(flags, `\Seen`) {
			flags += ` \Seen`
		}
		for f := range strings.FieldsSeq(flags) {
			if !slices.Contains(strings.Fields(m.Flags), f) {
				t.Errorf("%q has the flags %q, want %q", subject, m.Flags, flags)
			}
		}
	}
	if len(want) > 0 || view.UIDValidity != validity {
		t.Errorf("under UIDVALIDITY %d, which was %d, are not there: %v", view.UIDValidity, validity, want)
	}
	again := (&ourStore{t, func() mailparts.Backend { return &mbox.Backend{Root: mail} }, func() {}}).view("INBOX")
	if !slices.Equal(again.Messages, view.Messages) {
		t.Errorf("at the end we show\n%+v\nand they\n%+v", again.other(view), view.other(again))
	}
	d.wantNoComplaint(t)
}

func subjectOf(body string) string {
	_, subject, _ := strings.Cut("\r\n"+body, "\r\nSubject: ")
	subject, _, _ = strings.Cut(subject, "\r\n")
	return subject
}

// mboxWorker is what we do meanwhile.
type mboxWorker struct {
	*testing.T
	mailbox  mailparts.Mailbox
	told     chan mailparts.UID // what we have appended, for others to flag
	subjects map[mailparts.UID]string
	seen     []mailparts.UID // what had \Seen after our last change
}

func (w *mboxWorker) work(rounds int) {
	for i := range rounds {
		for _, subject := range []string{"ours", "doomed ours", "ours too"} {
			subject = fmt.Sprintf("%s %d", subject, i)
			flag, doomed := mailparts.Flag("Ours"), strings.HasPrefix(subject, "doomed")
			if doomed {
				flag = "Doomed"
			}
			body := strings.NewReader("Subject: " + subject + "\r\n\r\nFrom us\r\n")
			placed, err := mailparts.Append(w.Context(), w.mailbox, mailparts.Incoming{Body: body, Flags: []mailparts.Flag{flag}})
			if err != nil {
				w.Error(err)
				return
			}
			uid := placed.UIDs[0].First
			w.subjects[uid] = subject
			if !doomed {
				w.told <- uid
			}
		}
		if _, _, err := w.mailbox.SetFlags(w.Context(), mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}); err != nil {
			w.Error(err)
		}
		if err := w.mailbox.Expunge(w.Context(), mailparts.AllUIDs(), "Doomed"); err != nil {
			w.Error(err)
		}
	}
	for m, err := range w.mailbox.Messages(w.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			w.Error(err)
			return
		}
		if slices.Contains(m.Flags, mailparts.FlagSeen) {
			w.seen = append(w.seen, m.UID)
		}
	}
}
