package smtp_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/mailparts/mailparts"
)

// One error for all is no RcptErrors: errors.As finds what the server said.
func TestDeliverErrorTellsHost(t *testing.T) {
	f := newFake(t, ready()+`
		C: MAIL FROM:<a@example.org>
		S: 550-5.7.1 We do not like
		S: 550 5.7.1 your\tface\xff\x00`)
	err := f.connect(nil).Deliver(t.Context(), letter("b@example.com", "c@example.com"), text("x\r\n"))
	e, ok := errors.AsType[*mailparts.Error](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	want := mailparts.Error{Code: 550, Status: "5.7.1", Message: "We do not like\nyour face??", Host: "mx.example.com"}
	if *e != want {
		t.Errorf("got  %+v\nwant %+v", *e, want)
	}
}

// What is no message must not become one: the connection is closed before the dot.
func TestDeliverBrokenMessage(t *testing.T) {
	broken := errors.New("disk on fire")
	tests := []struct {
		name, got string
		msg       io.Reader
		is        error
		code      int
	}{
		{"read error", "C: one", io.MultiReader(strings.NewReader("one\r\ntwo"), iotest.ErrReader(broken)), broken, 0},
		{"unexpected EOF", "C: one", io.MultiReader(strings.NewReader("one\r\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF, 0},
		{"LF alone", "", text("one\r\ntwo\n.\nthree\r\n"), nil, 554},
		{"CR alone", "", text("one\r\ntwo\r.\rthree\r\n"), nil, 554},
		{"CR at the end", "", text("one\r\ntwo\r"), nil, 554},
		{"CR and LF in two reads", "", iotest.OneByteReader(strings.NewReader("two\n")), nil, 554},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, ready()+mailDialogue+`
				C!`)
			c := f.connect(nil)
			err := c.Deliver(t.Context(), letter("b@example.com"), test.msg)
			if test.is != nil && err != test.is {
				t.Errorf("got %v, want %v itself", err, test.is)
			}
			if test.code != 0 && codes(err, 1) != "554 5.6.0" {
				t.Errorf("got %v, want 554 5.6.0", err)
			}
			if err := c.Noop(t.Context()); err == nil {
				t.Error("the connection is still in use")
			}
			f.wait()
		})
	}
}

// A server that goes away in the middle of a message may have said why.
func TestDeliverLastWords(t *testing.T) {
	for name, test := range map[string]struct{ words, want string }{
		"a reason":   {"S: 552 5.3.4 too big", "552 5.3.4, 550 5.1.1"},
		"421":        {"S: 421 4.3.2 shutting down", "421 4.3.2, 550 5.1.1"},
		"none":       {"", "451 4.4.2, 550 5.1.1"},
		"a good one": {"S: 250 ok", "451 4.4.2, 550 5.1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, ready("PIPELINING")+`
				C: MAIL FROM:<a@example.org>
				C: RCPT TO:<b@example.com>
				C: RCPT TO:<c@example.com>
				C: DATA
				S: 250 ok
				S: 250 ok
				S: 550 5.1.1 no
				S: 354 go
				`+test.words)
			err := f.connect(nil).Deliver(t.Context(), letter("b@example.com", "c@example.com"), io.LimitReader(endless{}, 10<<20))
			if got := codes(err, 2); got != test.want {
				t.Errorf("got %s, want %s (%v)", got, test.want, err)
			}
		})
	}
}

// What a server said before it went away in the middle of the envelope is of one
// command, nobody knows which, and no reason to give everyone up; but 421 is.
func TestEnvelopeLastWords(t *testing.T) {
	for words, want := range map[string]string{
		"S: 250 ok\nS: 550 5.1.1 no":            "451 4.4.2, 451 4.4.2",
		"S: 250 ok\nS: 421 4.3.2 shutting down": "421 4.3.2, 421 4.3.2",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newFake(t, ready("PIPELINING")+words).connect(nil)
			synctest.Wait() // for the server to be gone
			err := c.Deliver(t.Context(), letter("b@example.com", "c@example.com"), text("hello\r\n"))
			if got := codes(err, 2); got != want {
				t.Errorf("%q: got %s, want %s (%v)", words, got, want, err)
			}
		})
	}
}

// A transaction that did not end as it should is aborted before the next one.
func TestDeliverAgain(t *testing.T) {
	const data = "C: hello\nC: .\n"
	f := newFake(t, ready("PIPELINING")+`
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go
		`+data+`
		S: 250 ok
		# no RSET: RFC 5321 section 4.1.1.4
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		C: DATA
		S: 250 ok
		S: 550 no
		S: 503 no
		C: RSET
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 250 ok
		S: 354 go
		`+data+`
		S: 554 no
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go
		`+data+`
		S: 250 ok
		C: QUIT
		S: 221 bye
		C!`)
	c := f.connect(nil)
	for i, want := range []string{"ok", "550", "554", "ok"} {
		err := c.Deliver(t.Context(), letter("b@example.com"), strings.NewReader("hello\r\n"))
		if got := codes(err, 1); got != want {
			t.Fatalf("message %d: got %s, want %s", i+1, got, want)
		}
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
	f.wait()
}

// A whole transaction is two writes: the envelope, the message (RFC 2920).
func TestDeliverWrites(t *testing.T) {
	f := newFake(t, ready("PIPELINING")+`
		C: MAIL FROM:<a@example.org>
		`+strings.Repeat("C: RCPT TO:<b@example.com>\n", 50)+`
		C: DATA
		S: 250 ok
		`+strings.Repeat("S: 250 ok\n", 50)+`
		S: 354 go
		C: hello
		C: .
		S: 250 ok`)
	c := f.connect(nil)
	var to []mailparts.Address
	for range 50 {
		to = append(to, "b@example.com")
	}
	f.writes.Store(0)
	if err := c.Deliver(t.Context(), letter(to...), text("hello\r\n")); err != nil {
		t.Fatal(err)
	}
	if n := f.writes.Load(); n != 2 {
		t.Errorf("%d writes, want 2", n)
	}
}

// More recipients than the buffers of a connection hold replies for.
func TestDeliverManyRecipients(t *testing.T) {
	const n = 5000
	reply := "S: 250 " + strings.Repeat("long", 100)
	script := ready("PIPELINING") + "C: MAIL FROM:<a@example.org>\nS: 250 ok\n" +
		strings.Repeat("C: RCPT TO:<b@example.com>\n"+reply+"\n", n) +
		"C: DATA\nS: 354 go\nC: hello\nC: .\nS: 250 ok"
	f := newFake(t, script)
	env := letter()
	for range n {
		env.To = append(env.To, mailparts.Rcpt{Addr: "b@example.com"})
	}
	if err := f.connect(nil).Deliver(t.Context(), env, text("hello\r\n")); err != nil {
		t.Fatal(err)
	}
}

func TestDeliverReports(t *testing.T) {
	f := newFake(t, ready("PIPELINING")+`
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		C: RCPT TO:<c@example.com>
		C: DATA
		S: 250 ok
		S: 550 no
		S: 250 ok
		S: 354 go
		C: hello
		C: .
		S: 250-2.0.0 queued
		S: 250 2.0.0 as 17`)
	var got []string
	ctx := mailparts.WithReceipts(t.Context(), func(to mailparts.Rcpt, r mailparts.Receipt) {
		got = append(got, string(to.Addr)+" "+r.Host+" "+r.Reply+" "+r.TLS)
	})
	f.connect(nil).Deliver(ctx, letter("b@example.com", "c@example.com"), text("hello\r\n"))
	want := "c@example.com mx.example.com 250 2.0.0 queued / as 17 "
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
