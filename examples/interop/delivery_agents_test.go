package interop_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// deliveries is how many messages each agent delivers.
const deliveries = 40

// intact are the texts that whileServed may find, ours and theirs; quoted are theirs as
// agents quote it in an mbox, some only what needs it.
var (
	intact = []string{"From me\r\n", "From me\r\n>From you\r\n"}
	quoted = []string{">From me\r\n>From you\r\n", ">From me\r\n>>From you\r\n"}
)

// whileServed delivers messages by an agent of others while we deliver, flag and
// expunge, and checks that each message is there once, with one of texts.
func whileServed(t *testing.T, mb mailparts.Mailbox, texts []string, deliver func(msg string)) {
	t.Helper()
	ctx := t.Context()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range deliveries {
			deliver(fmt.Sprintf("From: a@example.test\nSubject: theirs %d\n\nFrom me\n>From you\n", i))
		}
	})
	wg.Go(func() {
		for i := range deliveries {
			msg := fmt.Sprintf("Subject: ours %d\r\n\r\nFrom me\r\n", i)
			if _, err := mailparts.Append(ctx, mb, mailparts.Incoming{Body: strings.NewReader(msg)}); err != nil {
				t.Error(err)
			}
			doomed := mailparts.Incoming{Body: strings.NewReader("Subject: doomed\r\n\r\n"), Flags: []mailparts.Flag{mailparts.FlagDeleted}}
			if _, err := mailparts.Append(ctx, mb, doomed); err != nil {
				t.Error(err)
			}
			if _, _, err := mb.SetFlags(ctx, mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}); err != nil {
				t.Error(err)
			}
			if err := mb.Expunge(ctx, mailparts.AllUIDs(), mailparts.FlagDeleted); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	// What others did in the very moment of a change of our own is seen a little later.
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if st, err := mb.Status(ctx); err != nil || st.Messages >= 2*deliveries {
			break
		}
	}
	subjects := map[string]int{}
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			t.Fatal(err)
		}
		body := bodyOf(t, mb, m)
		for line := range strings.Lines(body) {
			if s, ok := strings.CutPrefix(line, "Subject: "); ok {
				subjects[strings.TrimSpace(s)]++
			}
		}
		if _, text, _ := strings.Cut(body, "\r\n\r\n"); !slices.Contains(texts, text) {
			t.Errorf("UID %d is %q", m.UID, body)
		}
	}
	for _, who := range []string{"theirs", "ours"} {
		for i := range deliveries {
			if n := subjects[fmt.Sprintf("%s %d", who, i)]; n != 1 {
				t.Errorf("message %d of %s is there %d times", i, who, n)
			}
		}
	}
	if len(subjects) != 2*deliveries {
		t.Errorf("there are %d messages, want %d", len(subjects), 2*deliveries)
	}
}

// agents are the programs that deliver, by how they are told to deliver to a place:
// a folder with "/" at its end is a Maildir, else it is an mbox.
var agents = map[string]func(t *testing.T, place string) (program string, args []string){
	"procmail": func(t *testing.T, place string) (string, []string) {
		rc := write(t, filepath.Join(folder(t), "procmailrc"), 0o600, "MAILDIR="+filepath.Dir(place), "DEFAULT="+place, "LOGFILE=/dev/null")
		return need(t, "procmail")[0], []string{"-f", "a@example.test", "-m", rc} // without -f an mbox would get no From_ line
	},
	"maildrop": func(t *testing.T, place string) (string, []string) {
		rc := write(t, filepath.Join(folder(t), "mailfilter"), 0o600, `to "`+strings.TrimSuffix(place, "/")+`"`)
		return need(t, "maildrop")[0], []string{rc}
	},
}

// procmail and maildrop deliver to a Maildir that we serve.
func TestMaildirDeliveryAgents(t *testing.T) {
	for name, agent := range agents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mail := filepath.Join(folder(t), "mail")
			store, err := (&maildir.Backend{Root: mail}).Open(t.Context(), "alice")
			if err != nil {
				t.Fatal(err)
			}
			mb, err := store.Mailbox(t.Context(), "INBOX")
			if err != nil {
				t.Fatal(err)
			}
			program, args := agent(t, filepath.Join(mail, "alice")+"/")
			whileServed(t, mb, intact, func(msg string) {
				if out, err := try(msg, program, args...); err != nil {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			})
			if odd, _ := filepath.Glob(filepath.Join(mail, "alice", "*.bad-*")); len(odd) > 0 {
				t.Errorf("kept aside: %q", odd)
			}
		})
	}
}
