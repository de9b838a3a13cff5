package lmtp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mailtest"
)

const hello = "Subject: hi\r\n\r\nhello\r\n"

// letter is an envelope from one to many.
func letter(to ...mailparts.Address) *mailparts.Envelope {
	env := &mailparts.Envelope{ID: "test", From: "a@example.org"}
	for _, a := range to {
		env.To = append(env.To, mailparts.Rcpt{Addr: a})
	}
	return env
}

// text is a message that cannot seek.
func text(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }

// codes is err as "code status" by recipient, "ok" for none.
func codes(err error, n int) string {
	var b []string
	for i := range n {
		one := "ok"
		if e := mailparts.AsError(mailparts.RcptError(err, i)); e != nil {
			one = fmt.Sprint(e.Code, " ", e.EnhancedStatus())
		}
		b = append(b, one)
	}
	return strings.Join(b, ", ")
}

// messages are what is in a mailbox.
func messages(t testing.TB, b mailparts.Backend, user, name string) []string {
	t.Helper()
	ctx := t.Context()
	s, err := b.Open(ctx, user)
	if err != nil {
		t.Fatal(err)
	}
	mb, err := s.Mailbox(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		body, err := mb.Body(ctx, m.UID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(body)
		if body.Close(); err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	return all
}

func TestLocal(t *testing.T) {
	ours := []string{"example.com", "Example.NET"}
	tests := []struct {
		name  string
		local lmtp.Local
		env   *mailparts.Envelope
		want  string   // codes
		to    []string // who has the message, as user/mailbox
	}{
		{"a user", lmtp.Local{}, letter("bob@example.com"), "ok", []string{"bob/INBOX"}},
		{"in capitals", lmtp.Local{}, letter("BOB@EXAMPLE.COM"), "ok", []string{"bob/INBOX"}},
		{"quoted", lmtp.Local{}, letter(`"bob"@example.com`), "ok", []string{"bob/INBOX"}},
		{"nobody", lmtp.Local{}, letter("nobody@example.com"), "550 5.1.1", nil},
		{"some of many", lmtp.Local{}, letter("nobody@example.com", "bob@example.com", "eve@example.com"), "550 5.1.1, ok, ok", []string{"bob/INBOX", "eve/INBOX"}},
		{"one user twice gets it once", lmtp.Local{}, letter("bob@example.com", "bob+x@example.com"), "ok, ok", []string{"bob/INBOX"}},

		{"our domain", lmtp.Local{Domains: ours}, letter("bob@example.com", "bob@EXAMPLE.net"), "ok, ok", []string{"bob/INBOX"}},
		{"not our domain", lmtp.Local{Domains: ours}, letter("bob@example.org", "eve@example.com"), "550 5.1.2, ok", []string{"eve/INBOX"}},
		{"no domain is ours", lmtp.Local{Domains: []string{}}, letter("bob@example.com"), "550 5.1.2", nil},

		{"detail", lmtp.Local{}, letter("bob+list@example.com"), "ok", []string{"bob/INBOX"}},
		{"detail of nobody", lmtp.Local{}, letter("nobody+list@example.com"), "550 5.1.1", nil},
		{"a delimiter first", lmtp.Local{}, letter("+bob@example.com"), "550 5.1.1", nil},
		{"another delimiter", lmtp.Local{Delimiter: "--"}, letter("bob--list@example.com", "eve+x@example.com"), "ok, 550 5.1.1", []string{"bob/INBOX"}},
		{"detail to its mailbox", lmtp.Local{FileDetail: true}, letter("bob+Lists/go@example.com", "bob@example.com"), "ok, ok", []string{"bob/INBOX", "bob/Lists/go"}},
		{"detail without a mailbox", lmtp.Local{FileDetail: true}, letter("bob+nothing@example.com"), "ok", []string{"bob/INBOX"}},
		{"detail that is no name", lmtp.Local{FileDetail: true}, letter(`"bob+//"@example.com`), "ok", []string{"bob/INBOX"}},
		{"detail inbox", lmtp.Local{FileDetail: true}, letter("bob+inbox@example.com", "bob@example.com"), "ok, ok", []string{"bob/INBOX"}},
		{"detail after an odd name", lmtp.Local{}, letter(`"a \"b\"+c"@example.com`), "ok", []string{`a "b"/INBOX`}},

		{"postmaster is nobody", lmtp.Local{}, letter("postmaster"), "550 5.1.1", nil},
		{"postmaster", lmtp.Local{Postmaster: "eve", Domains: ours}, letter("postmaster", "PostMaster@example.com", "postmaster@example.org"), "ok, ok, 550 5.1.2", []string{"eve/INBOX"}},
		{"postmaster with detail", lmtp.Local{Postmaster: "eve"}, letter("postmaster+x@example.com"), "ok", []string{"eve/INBOX"}},

		{"the null sender", lmtp.Local{}, &mailparts.Envelope{To: letter("bob@example.com").To}, "ok", []string{"bob/INBOX"}},
		{"the null path", lmtp.Local{}, letter(""), "553 5.1.3", nil},
		{"a hand-made recipient", lmtp.Local{}, letter("bob\r\nX-Evil: x@example.com"), "553 5.1.3", nil},
		{"a hand-made sender", lmtp.Local{}, &mailparts.Envelope{From: "a>\r\nX-Evil: x", To: letter("bob@example.com").To}, "553 5.1.7", nil},
		{"a path", lmtp.Local{}, letter(`"../eve"@example.com`, `".."@example.com`, `"bob/../eve"@example.com`, `"."@example.com`), "550 5.1.1, 550 5.1.1, 550 5.1.1, 550 5.1.1", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &mailtest.Memory{Users: []string{"bob", "eve", `a "b"`, "../eve", "..", "."}}
			s, _ := b.Open(t.Context(), "bob")
			if err := s.(mailparts.Manager).Create(t.Context(), "Lists/go"); err != nil {
				t.Fatal(err)
			}
			l := test.local
			l.Backend = b
			err := l.Deliver(t.Context(), test.env, text(hello))
			if got := codes(err, len(test.env.To)); got != test.want {
				t.Errorf("got %s, want %s (%v)", got, test.want, err)
			}
			var got []string
			for _, box := range []string{"bob/INBOX", "bob/Lists/go", "eve/INBOX", `a "b"/INBOX`} {
				user, name, _ := strings.Cut(box, "/")
				if name == "Lists/go" && user != "bob" {
					continue
				}
				for _, m := range messages(t, b, user, name) {
					got = append(got, box)
					if !strings.HasSuffix(m, "\r\n"+hello) {
						t.Errorf("%s has %q", box, m)
					}
				}
			}
			if strings.Join(got, " ") != strings.Join(test.to, " ") {
				t.Errorf("it is in %q, want %q", got, test.to)
			}
		})
	}
}

// Return-Path and Delivered-To stand on top, whatever the message has.
func TestLocalTrace(t *testing.T) {
	b := &mailtest.Memory{Users: []string{"bob"}}
	l := lmtp.Local{Backend: b}
	for _, msg := range []io.Reader{text("Return-Path: <x>\r\n" + hello), strings.NewReader("Return-Path: <x>\r\n" + hello)} {
		if err := l.Deliver(t.Context(), letter("bob@example.com", "bob+x@example.com"), msg); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Deliver(t.Context(), &mailparts.Envelope{To: letter("Bob@example.com").To}, text(hello)); err != nil {
		t.Fatal(err)
	}
	got := messages(t, b, "bob", "INBOX")
	first := "Return-Path: <a@example.org>\r\nDelivered-To: bob@example.com\r\nDelivered-To: bob+x@example.com\r\nReturn-Path: <x>\r\n" + hello
	want := []string{first, first, "Return-Path: <>\r\nDelivered-To: Bob@example.com\r\n" + hello}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Only what is left of a message that can seek is delivered.
func TestLocalFromTheMiddle(t *testing.T) {
	b := &mailtest.Memory{Users: []string{"bob", "eve"}}
	msg := strings.NewReader("MAIL\r\n" + hello)
	msg.Seek(6, io.SeekStart)
	if err := (&lmtp.Local{Backend: b}).Deliver(t.Context(), letter("bob@example.com", "eve@example.com"), msg); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"bob", "eve"} {
		want := "Return-Path: <a@example.org>\r\nDelivered-To: " + user + "@example.com\r\n" + hello
		if got := messages(t, b, user, "INBOX"); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q", user, got)
		}
	}
}

func TestLocalLoop(t *testing.T) {
	long := "X: " + strings.Repeat("x", 5000) + "\r\n"
	for name, test := range map[string]struct{ msg, want string }{
		"been here":           {"Delivered-To: bob@example.com\r\n" + hello, "554 5.4.6, ok"},
		"in other case":       {long + "delivered-to:BOB@example.com  \r\n" + hello, "554 5.4.6, ok"},
		"elsewhere":           {"Delivered-To: bob@example.net\r\n" + hello, "ok, ok"},
		"in the body":         {hello + "Delivered-To: bob@example.com\r\n", "ok, ok"},
		"in a longer line":    {"X: " + strings.Repeat("x", 4093) + "Delivered-To: bob@example.com\r\n" + hello, "ok, ok"},
		"in a header alone":   {"Delivered-To: bob@example.com", "554 5.4.6, ok"},
		"both":                {"Delivered-To: eve@example.com\r\nDelivered-To: bob@example.com\r\n\r\n", "554 5.4.6, 554 5.4.6"},
		"an empty message":    {"", "ok, ok"},
		"nothing but a field": {"X: y\r\n", "ok, ok"},
	} {
		b := &mailtest.Memory{Users: []string{"bob", "eve"}}
		err := (&lmtp.Local{Backend: b}).Deliver(t.Context(), letter("bob@example.com", "eve@example.com"), text(test.msg))
		if got := codes(err, 2); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestLocalLookup(t *testing.T) {
	down := errors.New("the directory is down")
	aliases := map[mailparts.Address]string{
		"bob@example.com": "u1", "bob+vip@example.com": "u2", `"odd one"@example.com`: "u1", "postmaster": "u2", "gone@example.com": "u3",
	}
	var asked []mailparts.Address
	b := &mailtest.Memory{Users: []string{"u1", "u2"}}
	l := lmtp.Local{Backend: b, Postmaster: "u1", Lookup: func(_ context.Context, a mailparts.Address) (string, error) {
		asked = append(asked, a)
		if a == "down@example.com" {
			return "", down
		}
		if u := aliases[a]; u != "" {
			return u, nil
		}
		return "", fmt.Errorf("directory: %w", mailparts.ErrNoUser)
	}}
	for _, test := range []struct {
		to, want, asked string
	}{
		{"bob@example.com", "ok", "bob@example.com"},
		{"Bob@example.com", "550 5.1.1", "Bob@example.com"}, // case is Lookup's business
		{"bob+vip@example.com", "ok", "bob+vip@example.com"},
		{"bob+x@example.com", "ok", "bob+x@example.com bob@example.com"},
		{`"odd one+x"@example.com`, "ok", `"odd one+x"@example.com "odd one"@example.com`},
		{"nobody+x@example.com", "550 5.1.1", "nobody+x@example.com nobody@example.com"},
		{"down@example.com", "451 4.3.0", "down@example.com"},
		{"gone@example.com", "550 5.1.1", "gone@example.com"},
		{"postmaster", "ok", "postmaster"},
		{"postmaster@example.com", "ok", "postmaster@example.com"},
	} {
		asked = nil
		env := letter(mailparts.Address(test.to))
		if got := codes(l.Deliver(t.Context(), env, text(hello)), 1); got != test.want {
			t.Errorf("%s: got %s, want %s", test.to, got, test.want)
		}
		if got := strings.Trim(fmt.Sprint(asked), "[]"); got != test.asked {
			t.Errorf("%s: asked for %s, want %s", test.to, got, test.asked)
		}
		if got := codes(l.Check(t.Context(), env, &env.To[0]), 1); got != test.want {
			t.Errorf("Check %s: got %s, want %s", test.to, got, test.want)
		}
	}
	if len(messages(t, b, "u2", "INBOX")) != 2 {
		t.Error("bob+vip and postmaster have not both reached u2")
	}
}

// brokenBackend fails at every Append, and for a user "closed" at Open.
type brokenBackend struct {
	mailtest.Memory
	err error
}

func (b *brokenBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	if user == "closed" {
		return nil, b.err
	}
	s, err := b.Memory.Open(ctx, user)
	return brokenStore{s, b.err}, err
}

type brokenStore struct {
	mailparts.Store
	err error
}

func (s brokenStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if name == "SHUT" {
		return nil, s.err
	}
	mb, err := s.Store.Mailbox(ctx, "INBOX")
	if name == "INBOX" && errors.Is(s.err, mailparts.ErrReadOnly) {
		return mb, err
	}
	return brokenMailbox{mb, s.err}, err
}

type brokenMailbox struct {
	mailparts.Mailbox
	err error
}

func (b brokenMailbox) Append(context.Context, iter.Seq2[mailparts.Incoming, error]) (mailparts.Placed, error) {
	return mailparts.Placed{}, fmt.Errorf("append: %w", b.err)
}

func TestLocalFailures(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
		open string
	}{
		{"quota", mailparts.ErrQuota, "552 5.2.2", "552 5.2.2"},
		{"disk full", syscall.ENOSPC, "452 4.3.1", "452 4.3.1"},
		{"no such user", mailparts.ErrNoUser, "550 5.1.1", "550 5.1.1"},
		{"no mailbox", mailparts.ErrNoMailbox, "451 4.3.0", "451 4.3.0"},
		{"anything", errors.New("secret path"), "451 4.3.0", "451 4.3.0"},
		{"its own", &mailparts.Error{Code: 554, Status: "5.7.1"}, "554 5.7.1", "554 5.7.1"},
		{"a detail's mailbox that is read-only: INBOX", mailparts.ErrReadOnly, "ok", "451 4.3.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := lmtp.Local{Backend: &brokenBackend{err: test.err}, FileDetail: true}
			if got := codes(l.Deliver(t.Context(), letter("bob+x@example.com"), text(hello)), 1); got != test.want {
				t.Errorf("Append: got %s, want %s", got, test.want)
			}
			if got := codes(l.Deliver(t.Context(), letter("closed@example.com"), text(hello)), 1); got != test.open {
				t.Errorf("Open: got %s, want %s", got, test.open)
			}
		})
	}
	l := lmtp.Local{Backend: &brokenBackend{err: errors.New("down")}, FileDetail: true}
	if got := codes(l.Deliver(t.Context(), letter("bob+SHUT@example.com"), text(hello)), 1); got != "451 4.3.0" {
		t.Errorf("a detail's mailbox of which nobody can tell: got %s", got)
	}
}

// A message that ends in an error leaves nothing behind.
func TestLocalReadError(t *testing.T) {
	broken := errors.New("broken")
	b := &mailtest.Memory{Users: []string{"bob"}}
	err := (&lmtp.Local{Backend: b}).Deliver(t.Context(), letter("bob@example.com"), io.MultiReader(strings.NewReader(hello), iotest.ErrReader(broken)))
	if err != broken {
		t.Errorf("got %v", err)
	}
	if got := messages(t, b, "bob", "INBOX"); got != nil {
		t.Errorf("it left %q", got)
	}
}

// A message for nobody is not asked for.
func TestLocalRefusesBeforeItReads(t *testing.T) {
	b := &mailtest.Memory{Users: []string{"bob"}}
	err := (&lmtp.Local{Backend: b}).Deliver(t.Context(), letter("eve@example.com"), iotest.ErrReader(errors.New("read")))
	if got := codes(err, 1); got != "550 5.1.1" {
		t.Errorf("got %v", err)
	}
}

// FuzzLocal: whoever gets a message gets it whole, under its trace and nothing
// else.
func FuzzLocal(f *testing.F) {
	f.Add("bob@example.com", "+", hello)
	f.Add(`"bob++x\"y"@example.com`, "++", "Delivered-To: bob@example.com\r\n\r\n")
	f.Add("postmaster", "", "X:"+strings.Repeat("x", 5000))
	f.Add("bob\r\nX: y@example.com", "@", "\r\n")
	f.Add("../bob@example.com", "b", "")
	f.Fuzz(func(t *testing.T, to, delimiter, msg string) {
		msg = strings.ReplaceAll(msg, "\n", "\r\n") // as a server would have it
		b := &listedBackend{}
		l := lmtp.Local{Backend: b, Delimiter: delimiter, FileDetail: true}
		err := l.Deliver(t.Context(), letter(mailparts.Address(to)), text(msg))
		if got := codes(err, 1); got != "ok" && got != "550 5.1.1" && got != "553 5.1.3" && got != "554 5.4.6" {
			t.Fatalf("%q: %v", to, err)
		}
		for _, user := range b.opened {
			if strings.ContainsAny(user, "/\\\x00\r\n") || user == "" || user == "." || user == ".." {
				t.Errorf("%q opened user %q", to, user)
			}
			want := "Return-Path: <a@example.org>\r\nDelivered-To: " + to + "\r\n" + msg
			if got := messages(t, &b.Memory, user, "INBOX"); err == nil && (len(got) != 1 || got[0] != want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

// listedBackend notes whose mail was opened.
type listedBackend struct {
	mailtest.Memory
	opened []string
}

func (b *listedBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	b.opened = append(b.opened, user)
	return b.Memory.Open(ctx, user)
}
