package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

// view is all that is to be copied, by mailbox.
func view(t *testing.T, b mailparts.Backend) map[string][]string {
	t.Helper()
	s, err := b.Open(t.Context(), "user")
	must(t, err)
	all := map[string][]string{}
	for info, err := range s.List(t.Context()) {
		must(t, err)
		mb, err := s.Mailbox(t.Context(), info.Name)
		must(t, err)
		all[info.Name] = []string{}
		for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantDates}) {
			must(t, err)
			body, err := mb.Body(t.Context(), m.UID)
			must(t, err)
			text, err := io.ReadAll(body)
			body.Close()
			must(t, err)
			flags := slices.Sorted(slices.Values(m.Flags))
			all[info.Name] = append(all[info.Name], fmt.Sprintf("%q %d %q", flags, m.Received.Unix(), text))
		}
	}
	names, err := mailparts.Subscribed(t.Context(), s)
	must(t, err)
	all["subscribed"] = slices.Sorted(slices.Values(names))
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill makes a store with two mailboxes and n messages in each.
func fill(t *testing.T, b mailparts.Backend, n int) {
	t.Helper()
	s, err := b.Open(t.Context(), "user")
	must(t, err)
	must(t, s.(mailparts.Manager).Create(t.Context(), "lists/go"))
	must(t, mailparts.Subscribe(t.Context(), s, "lists/go", true))
	for _, name := range []string{"INBOX", "lists/go"} {
		deliver(t, s, name, n)
	}
}

func deliver(t *testing.T, s mailparts.Store, name string, n int) {
	t.Helper()
	mb, err := s.Mailbox(t.Context(), name)
	must(t, err)
	flags := [][]mailparts.Flag{nil, {mailparts.FlagSeen}, {mailparts.FlagDeleted, mailparts.FlagFlagged, "$Forwarded"}, {"Work"}}
	_, err = mb.Append(t.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for i := range n {
			text := fmt.Sprintf("Subject: %s %d\r\n\r\nFrom here\r\n>From there\r\n.\r\nno end", name, i)
			in := mailparts.Incoming{Body: strings.NewReader(text), Flags: flags[i%4], Received: time.Unix(1e9+int64(i)*1000, 0)}
			if !yield(in, nil) {
				return
			}
		}
	})
	must(t, err)
}

func TestConvert(t *testing.T) {
	for _, kinds := range [][2]string{{"maildir", "mbox"}, {"mbox", "maildir"}, {"mbox", "mbox"}} {
		t.Run(kinds[0]+" to "+kinds[1], func(t *testing.T) {
			dir := t.TempDir()
			src := open(kinds[0] + ":" + filepath.Join(dir, "src"))
			to := kinds[1] + ":" + filepath.Join(dir, "dst")
			if kinds[1] == "mbox" {
				to += ":INBOX=" + filepath.Join(dir, "spool")
			}
			fill(t, src, 130)
			dst := open(to)
			must(t, convert(t.Context(), src, dst))
			want := view(t, src)
			same(t, view(t, dst), want)
			must(t, convert(t.Context(), src, dst)) // once more, which does nothing
			same(t, view(t, dst), want)
			if _, err := os.Stat(filepath.Join(dir, "spool")); kinds[1] == "mbox" && err != nil {
				t.Error(err)
			}
		})
	}
}

func same(t *testing.T, got, want map[string][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d mailboxes, want %d", len(got), len(want))
	}
	for name, msgs := range want {
		if !slices.Equal(got[name], msgs) {
			t.Errorf("%s has %d messages, want %d, or they differ", name, len(got[name]), len(msgs))
			for i := range min(len(got[name]), len(msgs)) {
				if got[name][i] != msgs[i] {
					t.Fatalf("%s, want %s", got[name][i], msgs[i])
				}
			}
		}
	}
}

// stopAfter is done after so many looks at its Err, to stop in the middle of a run.
type stopAfter struct {
	context.Context
	looks *int
}

func (s stopAfter) Err() error {
	if *s.looks--; *s.looks < 0 {
		return context.Canceled
	}
	return nil
}

// A run that is stopped anywhere leaves what the next one completes.
func TestConvertGoesOn(t *testing.T) {
	dir := t.TempDir()
	src, dst := open("maildir:"+filepath.Join(dir, "src")), open("mbox:"+filepath.Join(dir, "dst"))
	fill(t, src, 130)
	want := view(t, src)
	stopped := 0
	for n := 10; ; n *= 2 {
		looks := n
		if err := convert(stopAfter{t.Context(), &looks}, src, dst); err == nil {
			break
		}
		if stopped++; n > 1<<20 {
			t.Fatal("it never ends")
		}
	}
	if stopped == 0 {
		t.Error("no run was stopped")
	}
	same(t, view(t, dst), want)
}

// Other mail at the destination is left alone.
func TestConvertIntoOther(t *testing.T) {
	dir := t.TempDir()
	src, dst := open("maildir:"+filepath.Join(dir, "src")), open("mbox:"+filepath.Join(dir, "dst"))
	fill(t, src, 3)
	s, err := dst.Open(t.Context(), "user")
	must(t, err)
	mb, err := s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	_, err = mailparts.Append(t.Context(), mb, mailparts.Incoming{Body: strings.NewReader("Subject: other\r\n\r\n"), Received: time.Unix(1, 0)})
	must(t, err)
	if err := convert(t.Context(), src, dst); err == nil || !strings.Contains(err.Error(), "INBOX: other mail") {
		t.Errorf("%v", err)
	}
	if got := view(t, dst)["INBOX"]; len(got) != 1 {
		t.Errorf("%q", got)
	}
}
