package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// The ways in which a tree can be written, and Dovecot's words for them.
var treeForms = map[string]struct {
	layout     maildir.Layout
	utf8, crlf bool
	theirs     string
}{
	"Maildir++":         {},
	"Maildir++, CRLF":   {crlf: true},
	"Maildir++, UTF-8":  {utf8: true, theirs: ":UTF-8"},
	"folders":           {layout: maildir.Folders, theirs: ":LAYOUT=fs"},
	"folders, all else": {maildir.Folders, true, true, ":LAYOUT=fs:UTF-8"},
}

// formTree is a tree of one form that Dovecot and we serve.
type formTree struct {
	*testing.T
	dir     string // of all trees
	ours    func() *maildir.Backend
	dovecot *dovecotServer
	doveadm string
}

// inTreeForms runs a test for each.
func inTreeForms(t *testing.T, test func(x *formTree)) {
	for name, form := range treeForms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := &formTree{T: t, dir: filepath.Join(folder(t), "mail"), doveadm: need(t, "doveadm")[0]}
			x.ours = func() *maildir.Backend {
				return &maildir.Backend{Root: x.dir, Layout: form.layout, UTF8: form.utf8, CRLF: form.crlf}
			}
			x.store() // makes the folder that Dovecot is started on
			settings := []string{
				"mail_location = maildir:" + x.dir + "/%n" + form.theirs,
				"namespace inbox {\n inbox = yes\n separator = /\n}",
			}
			if form.layout == maildir.Folders { // or it sees a mailbox of ours in another only after one of its own
				settings = append(settings, "mailbox_list_index = no")
			}
			x.dovecot = dovecot(t, x.dir, settings...)
			test(x)
		})
	}
}

func (x *formTree) store() mailparts.Store {
	x.Helper()
	s, err := x.ours().Open(x.Context(), "alice")
	x.must(err)
	return s
}

func (x *formTree) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// handOver makes what we wrote as root Dovecot's.
func (x *formTree) handOver() {
	x.Helper()
	run(x, "", "chown", "-R", "mail:mail", x.dir)
}

// adm runs doveadm for alice.
func (x *formTree) adm(words ...string) string {
	x.Helper()
	x.handOver()
	return run(x, "", x.doveadm, slices.Concat([]string{"-c", x.dovecot.conf}, words[:2], []string{"-u", "alice"}, words[2:])...)
}

// agree compares the mailboxes that we see with those that Dovecot does, and how many
// messages are in each.
func (x *formTree) agree(when string) {
	x.Helper()
	var ours []string
	for info, err := range mailparts.ListStatus(x.Context(), x.store()) {
		x.must(err)
		if !info.NoSelect {
			ours = append(ours, fmt.Sprintf("%s messages=%d", info.Name, info.Status.Messages))
		}
	}
	x.handOver()
	// It fails where there is a name only, after it has told all the others.
	out, _ := try("", x.doveadm, "-c", x.dovecot.conf, "mailbox", "status", "-u", "alice", "messages", "*")
	var theirs []string
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); strings.Contains(line, " messages=") {
			theirs = append(theirs, line)
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		x.Errorf("%s we have %q, Dovecot has %q", when, ours, theirs)
	}
}

func (x *formTree) deliver(name string) {
	x.Helper()
	mb, err := x.store().Mailbox(x.Context(), name)
	x.must(err)
	_, err = mailparts.Append(x.Context(), mb, mailparts.Incoming{Body: strings.NewReader("Subject: x\r\n\r\nin " + name + "\r\n")})
	x.must(err)
}

// Dovecot and we serve a tree of each form in turn, with the same UIDs, flags and
// octets.
func TestMaildirFormsInTurn(t *testing.T) {
	t.Parallel()
	inTreeForms(t, func(x *formTree) {
		mailboxes := []string{"INBOX", "Work/Größe", "Work"}
		for _, name := range mailboxes[1:] {
			x.must(x.store().(mailparts.Manager).Create(x.Context(), name))
		}
		x.handOver()
		ours := &ourStore{x, func() mailparts.Backend { return x.ours() }, x.handOver}
		theirs := newIMAPStore(x, x.dovecot.imapAddr, "alice", "secret")
		theirs.slash = true
		takeTurns(x.T, ours, theirs, mailboxes, 25)
	})
}

// Each sees the mailboxes and subscriptions that the other makes, renames and removes.
func TestMaildirFormsOfNames(t *testing.T) {
	t.Parallel()
	inTreeForms(t, func(x *formTree) {
		m := x.store().(mailparts.Manager)
		for _, name := range []string{"a", "a/b/c", "Entwürfe & mehr/台北", "INBOX/child", "x y"} {
			x.must(m.Create(x.Context(), name))
			x.deliver(name)
		}
		x.agree("after our Create")
		x.adm("mailbox", "create", "Gelöscht/é", "a/b", "INBOX/child/too")
		x.deliver("Gelöscht/é")
		x.agree("after Dovecot's CREATE")

		x.must(m.Rename(x.Context(), "a", "moved/here"))
		x.agree("after our Rename")
		x.adm("mailbox", "rename", "Entwürfe & mehr/台北", "Öfter")
		x.adm("mailbox", "rename", "moved/here", "back")
		x.agree("after Dovecot's RENAME")

		x.must(m.Delete(x.Context(), "back/b"))
		x.agree("after our Delete of one with a child")
		x.adm("mailbox", "delete", "INBOX/child")
		x.agree("after Dovecot's DELETE of one with a child")
		x.must(m.Delete(x.Context(), "back/b/c"))
		x.must(m.Create(x.Context(), "back/b"))
		x.agree("after that")

		x.adm("mailbox", "subscribe", "Öfter", "Gelöscht/é")
		sub := x.store().(mailparts.Subscriber)
		x.must(sub.Subscribe(x.Context(), "back/b", true))
		x.must(sub.Subscribe(x.Context(), "Öfter", false))
		ours, err := sub.Subscribed(x.Context())
		x.must(err)
		theirs := strings.Fields(x.adm("mailbox", "list", "-s"))
		slices.Sort(theirs)
		if want := []string{"Gelöscht/é", "back/b"}; !sameSet(ours, want) || !sameSet(theirs, want) {
			x.Errorf("we say that %q are subscribed, Dovecot says %q, want %q", ours, theirs, want)
		}
	})
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// Messages of both kinds are in one mailbox, and Dovecot finds the sizes right.
func TestMaildirFormsMixed(t *testing.T) {
	t.Parallel()
	inTreeForms(t, func(x *formTree) {
		text := "Subject: mixed\r\n\r\none\r\ntwo\r\n"
		for _, crlf := range []bool{false, true} {
			b := x.ours()
			b.CRLF = crlf
			s, err := b.Open(x.Context(), "alice")
			x.must(err)
			mb, err := s.Mailbox(x.Context(), "INBOX")
			x.must(err)
			_, err = mailparts.Append(x.Context(), mb, mailparts.Incoming{Body: strings.NewReader(text)})
			x.must(err)
		}
		x.handOver()
		theirs := newIMAPStore(x, x.dovecot.imapAddr, "alice", "secret")
		for i, msg := range theirs.view("INBOX").Messages {
			if msg.Body != text {
				x.Errorf("Dovecot reads message %d as %q", i, msg.Body)
			}
		}
		sizes := strings.Fields(x.adm("fetch", "size.virtual", "mailbox", "INBOX", "all"))
		want := fmt.Sprint(len(text))
		if len(sizes) != 4 || sizes[1] != want || sizes[3] != want {
			x.Errorf("Dovecot says the sizes are %q, want %s", sizes, want)
		}
		if files, err := filepath.Glob(filepath.Join(x.dir, "alice", "*", "*,S=*")); err != nil || len(files) != 2 {
			x.Errorf("the messages are in %q, %v", files, err)
		} else if a, b := fileSize(x, files[0]), fileSize(x, files[1]); a == b {
			x.Errorf("both messages have %d octets on disk", a)
		}
	})
}

func fileSize(t testing.TB, name string) int64 {
	t.Helper()
	fi, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Size()
}
