package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

// newSpool is a FileSpool in memory.
func newSpool(t testing.TB) *FileSpool {
	t.Helper()
	s, err := OpenFS(disktest.New(), "spool", 1<<20, MaxInline)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// envelope is mail from alice, made here.
func envelope(to ...mailparts.Address) *mailparts.Envelope {
	env := &mailparts.Envelope{ID: "m", From: "alice@example.org"}
	for _, a := range to {
		env.To = append(env.To, mailparts.Rcpt{Addr: a})
	}
	return env
}

var (
	stranger = &mailparts.Peer{Hello: "mx.example.net"}
	user     = &mailparts.Peer{User: "alice"}
	trusted  = &mailparts.Peer{Trusted: true}
)

// code is what the peer is told: "550 5.7.1", or "" for nil.
func code(err error) string {
	if err == nil {
		return ""
	}
	e := mailparts.AsError(err)
	return fmt.Sprintf("%d %s", e.Code, e.EnhancedStatus())
}

func TestRelaying(t *testing.T) {
	q := &Queue{Spool: newSpool(t), Routes: Routes{
		"example.org": named("local"), "postmaster": named("local"), "*": named("relay"), "nowhere.example": nil,
	}}
	noRelay := &Queue{Spool: q.Spool, Routes: Routes{"example.org": named("local")}}
	for _, tc := range []struct {
		q    *Queue
		peer *mailparts.Peer
		to   mailparts.Address
		want string
	}{
		{q, stranger, "bob@example.org", ""},
		{q, stranger, "postmaster", ""},
		{q, stranger, "bob@example.com", "550 5.7.1"},
		{q, stranger, "bob@example.org.example.com", "550 5.7.1"},
		{q, stranger, "bob%example.com@example.net", "550 5.7.1"},
		{q, stranger, "bob@nowhere.example", "550 5.4.4"},
		{q, user, "bob@example.com", ""},
		{q, trusted, "bob@example.com", ""},
		{q, nil, "bob@example.com", ""},
		{noRelay, stranger, "bob@example.com", "550 5.7.1"},
		{noRelay, user, "bob@example.com", "550 5.4.4"},
		{&Queue{Spool: q.Spool}, user, "bob@example.com", "550 5.4.4"},
	} {
		env := envelope()
		env.Peer = tc.peer
		tx, err := tc.q.Mail(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		to := mailparts.Rcpt{Addr: tc.to}
		if got := code(tx.Rcpt(t.Context(), &to)); got != tc.want {
			t.Errorf("RCPT %s from %+v: %q, want %q", tc.to, tc.peer, got, tc.want)
		}
		env.To = []mailparts.Rcpt{to}
		if got := code(mailparts.RcptError(tx.Data(t.Context(), strings.NewReader("x")), 0)); got != tc.want {
			t.Errorf("DATA to %s from %+v: %q, want %q", tc.to, tc.peer, got, tc.want)
		}
		tx.Close()
	}
}

func TestDeliverRefusesByRecipient(t *testing.T) {
	s := newSpool(t)
	q := &Queue{Spool: s, Routes: Routes{"example.org": named("local")}}
	env := envelope("bob@example.org", "bob@example.com", "carol@example.org")
	env.Peer = stranger
	err := q.Deliver(t.Context(), env, strings.NewReader("x"))
	for i, want := range []string{"", "550 5.7.1", ""} {
		if got := code(mailparts.RcptError(err, i)); got != want {
			t.Errorf("recipient %d: %q, want %q", i, got, want)
		}
	}
	for _, e := range all(t, s) {
		if len(e.Env.To) != 2 || e.Env.To[1].Addr != "carol@example.org" {
			t.Errorf("queued for %v", e.Env.To)
		}
	}
	if len(env.To) != 3 {
		t.Error("Deliver changed the envelope")
	}
	if got := code(q.Deliver(t.Context(), envelope(), iotest.ErrReader(errors.New("read")))); got != "554 5.5.1" {
		t.Errorf("no recipients: %q", got)
	}
}

// Recipients of one Deliverer and one destination share an entry.
func TestSplit(t *testing.T) {
	f := mailparts.DelivererFunc(named("").Deliver)
	for name, routes := range map[string]Routes{
		"comparable": {"example.org": named("local"), "bob@example.org": named("bob"), "dave@example.org": named("local"), "*": named("relay"), "postmaster": named("local")},
		"functions":  {"example.org": f, "bob@example.org": f, "dave@example.org": f, "*": f, "postmaster": f},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpool(t)
			q := &Queue{Spool: s, Routes: routes}
			err := q.Deliver(t.Context(), envelope(
				"alice@example.org", "bob@example.org", "carol@EXAMPLE.ORG", "dave@example.org",
				"x@bücher.example", "y@xn--bcher-kva.example", "z@example.com", "postmaster"), strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, e := range all(t, s) {
				if !strings.HasPrefix(e.ID, "m.") || e.Env.ID != "m" {
					t.Errorf("entry %s of message %s", e.ID, e.Env.ID)
				}
				for _, to := range e.Env.To {
					got[string(to.Addr)] = e.ID + " " + e.Dest
				}
			}
			if name == "comparable" {
				same(t, got, "alice@example.org", "carol@EXAMPLE.ORG", "dave@example.org")
			} else {
				same(t, got, "alice@example.org", "carol@EXAMPLE.ORG")
			}
			same(t, got, "x@bücher.example", "y@xn--bcher-kva.example")
			for to, dest := range map[string]string{
				"alice@example.org": "example.org", "x@bücher.example": "xn--bcher-kva.example", "z@example.com": "example.com", "postmaster": "",
			} {
				if !strings.HasSuffix(got[to], " "+dest) {
					t.Errorf("%s is in %q, want destination %q", to, got[to], dest)
				}
			}
			if got["bob@example.org"] == got["alice@example.org"] {
				t.Error("bob has a Deliverer of his own, but shares an entry")
			}
		})
	}
}

// router is a Router of another kind, whose Deliverers cannot be compared.
type router func(to mailparts.Address) (mailparts.Deliverer, bool)

func (r router) Route(to mailparts.Address) (mailparts.Deliverer, bool) { return r(to) }

// Deliverers that cannot be told apart are not taken for one.
func TestSplitByUnknownRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		q := &Queue{Spool: newSpool(t), Concurrency: 1, Routes: router(func(to mailparts.Address) (mailparts.Deliverer, bool) {
			return mailparts.DelivererFunc(func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
				for _, r := range env.To {
					got = append(got, string(to)+" "+string(r.Addr))
				}
				return nil
			}), true
		})}
		run(t, q)
		deliver(t, q, envelope("a@example.com", "b@example.com"))
		synctest.Wait()
		slices.Sort(got)
		if want := "a@example.com a@example.com, b@example.com b@example.com"; strings.Join(got, ", ") != want {
			t.Errorf("delivered %s", strings.Join(got, ", "))
		}
	})
}

func same(t *testing.T, entry map[string]string, to ...string) {
	t.Helper()
	for _, a := range to[1:] {
		if entry[a] != entry[to[0]] {
			t.Errorf("%s is in %q, %s in %q", to[0], entry[to[0]], a, entry[a])
		}
	}
}

// What is to be held is not tried before, and expires that much later.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(context.Context, *mailparts.Envelope) error { return later })
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: s.event, Retry: []time.Duration{time.Hour}, Expire: time.Minute}
		run(t, q)
		env := envelope("bob@example.com")
		env.To[0].Notify = mailparts.NotifyNever
		env.Hold = time.Now().Add(24 * time.Hour)
		deliver(t, q, env)
		<-time.After(48 * time.Hour)
		want := "0s queued  \n24h0m0s deferred bob@example.com 450 4.2.1\n24h1m0s dropped bob@example.com 450 4.2.1"
		if got := s.said(); got != want {
			t.Errorf("protocol:\n%s\nwant\n%s", got, want)
		}
	})
}

// Any ID will do, and one too long for a spool can still bounce.
func TestOddID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, id := range []string{"a b/../c\n", "\xff", strings.Repeat("x", 190), strings.Repeat("x", 1000)} {
			back := &sender{}
			q := &Queue{Spool: newSpool(t), Routes: Routes{"example.com": refuse(never), "example.org": back}}
			run(t, q)
			env := envelope("bob@example.com")
			env.ID = id
			deliver(t, q, env)
			synctest.Wait()
			if len(back.msgs) != 1 {
				t.Errorf("with the ID %q: %d bounces", id, len(back.msgs))
			}
		}
	})
}

func TestRepeatIsDone(t *testing.T) {
	s := newSpool(t)
	q := &Queue{Spool: s, Routes: Routes{"*": named("")}}
	env := envelope("bob@example.com", "bob@example.net")
	for range 2 {
		msg := strings.NewReader("x")
		if err := q.Deliver(t.Context(), env, msg); err != nil || msg.Len() > 0 {
			t.Errorf("Deliver: %v, %d octets not read", err, msg.Len())
		}
	}
	if n := len(all(t, s)); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
	gone := errors.New("the peer went away")
	if err := q.Deliver(t.Context(), env, iotest.ErrReader(gone)); !errors.Is(err, gone) {
		t.Errorf("a repeat that breaks off: %v, want the read error", err)
	}
	// The same ID is a repeat only with the same addresses.
	if err := q.Deliver(t.Context(), envelope("carol@example.com"), strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	other := envelope("bob@example.com")
	other.From = "bob@example.org"
	if err := q.Deliver(t.Context(), other, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	env.ID = "" // never a repeat
	for range 2 {
		if err := q.Deliver(t.Context(), env, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(all(t, s)); n != 2+1+1+4 {
		t.Errorf("%d entries, want 8", n)
	}
}

func TestLoop(t *testing.T) {
	received := strings.Repeat("Received: from a by b;\r\n\tnow\r\n", 99)
	for _, tc := range []struct{ name, msg, want string }{
		{"100 fields", received + "RECEIVED : x\r\nreceived:\r\n\r\n", ""},
		{"101 fields", received + "rEcEiVeD:x\r\nReceived:\r\n\r\n", "554 5.4.6"},
		{"101 fields and no body", received + "Received: x\r\nReceived:", "554 5.4.6"},
		{"others", received + "Received: x\r\nX-Received: x\r\nReceived-SPF: x\r\n Received: x\r\nSubject: Received: x\r\n\r\n", ""},
		{"in the body", received + "\r\nReceived: x\r\nReceived: x\r\n", ""},
		{"in the body, LF", strings.ReplaceAll(received, "\r", "") + "\nReceived: x\nReceived: x\n", ""},
		{"no header", "\r\n" + received + received, ""},
	} {
		s := newSpool(t)
		q := &Queue{Spool: s, Routes: Routes{"*": named("")}}
		for i, r := range []io.Reader{strings.NewReader(tc.msg), iotest.OneByteReader(strings.NewReader(tc.msg)), iotest.DataErrReader(strings.NewReader(tc.msg))} {
			env := envelope("bob@example.com")
			env.ID = fmt.Sprint(i)
			if got := code(q.Deliver(t.Context(), env, r)); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
			}
		}
		for _, e := range all(t, s) {
			if tc.want != "" || content(t, s, e) != tc.msg {
				t.Errorf("%s: queued", tc.name)
			}
		}
	}
}

// faulty is a Spool whose calls fail as told.
type faulty struct {
	Spool
	put, next, save, open func() error
}

func fails(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

func (f *faulty) Put(ctx context.Context, msg io.Reader, entries ...*Entry) error {
	if err := fails(f.put); err != nil {
		return err
	}
	return f.Spool.Put(ctx, msg, entries...)
}

func (f *faulty) Next(ctx context.Context, q Query) ([]*Entry, time.Time, error) {
	if err := fails(f.next); err != nil {
		return nil, time.Time{}, err
	}
	return f.Spool.Next(ctx, q)
}

func (f *faulty) Open(ctx context.Context, e *Entry) (io.ReadSeekCloser, error) {
	if err := fails(f.open); err != nil {
		return nil, err
	}
	return f.Spool.Open(ctx, e)
}

func (f *faulty) Save(ctx context.Context, e *Entry) error {
	if err := fails(f.save); err != nil {
		return err
	}
	return f.Spool.Save(ctx, e)
}

func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := true
		q := &Queue{Routes: Routes{"*": named("")}, Spool: &faulty{Spool: newSpool(t), put: func() error {
			if full {
				return fmt.Errorf("disk: %w", ErrFull)
			}
			return nil
		}}}
		mail := func() string {
			tx, err := q.Mail(t.Context(), envelope())
			if err == nil {
				tx.Close()
			}
			return code(err)
		}
		if got := mail(); got != "" {
			t.Errorf("MAIL before: %q", got)
		}
		if got := code(q.Deliver(t.Context(), envelope("bob@example.com"), strings.NewReader("x"))); got != "452 4.3.1" {
			t.Errorf("Deliver: %q", got)
		}
		if got := mail(); got != "452 4.3.1" {
			t.Errorf("MAIL while full: %q", got)
		}
		<-time.After(10 * time.Second)
		full = false
		if got := mail(); got != "" {
			t.Errorf("MAIL later: %q", got)
		}
		if err := q.Deliver(t.Context(), envelope("bob@example.com"), strings.NewReader("x")); err != nil {
			t.Errorf("Deliver later: %v", err)
		}
	})
}
