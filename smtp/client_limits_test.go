package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// limitedTest is a Deliver to a server that has LIMITS.
type limitedTest struct {
	name, limits string
	to           []mailparts.Address
	msg          io.Reader // nil: one that can seek
	sizes        []int     // of the transactions that come
	want         string
}

// RFC 9422 section 4.2, whose limit counts RCPT commands.
func TestRecipientLimit(t *testing.T) {
	five := []mailparts.Address{"a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"}
	tests := []limitedTest{
		{name: "under", limits: "RCPTMAX=20 MAILMAX=5", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
		{name: "at", limits: "RCPTMAX=5", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
		{name: "over", limits: "RCPTMAX=2", to: five, sizes: []int{2, 2, 1}, want: "ok, ok, ok, ok, ok"},
		{name: "over, with a name in lower case", limits: "rcptmax=2", to: five, sizes: []int{2, 2, 1}, want: "ok, ok, ok, ok, ok"},
		{name: "over, and the message cannot seek", limits: "RCPTMAX=2", to: five, msg: text("hello\r\n"), sizes: []int{2},
			want: "ok, ok, 452 4.5.3, 452 4.5.3, 452 4.5.3"},
		{name: "over, and so are the transactions", limits: "RCPTMAX=2 MAILMAX=2", to: five, sizes: []int{2, 2}, want: "ok, ok, ok, ok, 452 4.5.3"},
		{name: "those who are not named do not count", limits: "RCPTMAX=2", to: []mailparts.Address{"a@example.com", "b>@example.com", "c@example.com"},
			sizes: []int{2}, want: "ok, 553 5.1.3, ok"},
		{name: "domains", limits: "RCPTDOMAINMAX=2", to: []mailparts.Address{"a@a.example", "b@b.example", "c@c.example", "d@A.EXAMPLE"},
			sizes: []int{3}, want: "ok, ok, 452 4.5.3, ok"},

		// Section 3.7.
		{name: "nothing", limits: "", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
		{name: "zero", limits: "RCPTMAX=0", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
		{name: "no number", limits: "RCPTMAX", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
		{name: "seven digits", limits: "RCPTMAX=1000000", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
		{name: "one bad limit is ignored", limits: "MAILMAX=x RCPTMAX=4 OTHER", to: five, sizes: []int{4, 1}, want: "ok, ok, ok, ok, ok"},
		{name: "bad syntax: all are", limits: "RCPTMAX=4 =7", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
		{name: "bad syntax in a value: all are", limits: "RCPTMAX=4 X=;", to: five, sizes: []int{5}, want: "ok, ok, ok, ok, ok"},
	}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func (test *limitedTest) run(t *testing.T) {
	script := ready("PIPELINING", "LIMITS "+test.limits)
	for _, n := range test.sizes {
		script += "C: MAIL FROM:<a@example.org>\n" + strings.Repeat("C: RCPT TO:...\n", n) + "C: DATA\n" +
			strings.Repeat("S: 250 ok\n", n+1) + "S: 354 go\nC: hello\nC: .\nS: 250 ok\n"
	}
	f := newFake(t, script+"C!")
	c := f.connect(nil)
	msg := test.msg
	if msg == nil {
		msg = strings.NewReader("hello\r\n")
	}
	if err := c.Deliver(t.Context(), letter(test.to...), msg); codes(err, len(test.to)) != test.want {
		t.Errorf("got  %s\nwant %s", codes(err, len(test.to)), test.want)
	}
	c.Close()
	f.wait()
}

// What becomes of one transaction is not said of another.
func TestRecipientLimitFailures(t *testing.T) {
	const first = `
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<a@example.com>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go
		C: hello
		C: .
		S: 250 ok
		`
	broken := errors.New("disk on fire")
	tests := []struct {
		name, script string
		msg          io.Reader
		want         string
	}{{
		"the second message refused", first + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go
			C: hello
			C: .
			S: 554 5.7.1 spam
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<c@example.com>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no
			S: 503 no`, nil, "ok, 554 5.7.1, 550 5.1.1",
	}, {
		"the second sender refused: so is the third", first + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 452 4.7.1 enough
			S: 503 no
			S: 503 no
			C!`, nil, "ok, 452 4.7.1, 452 4.7.1",
	}, {
		"gone", first, nil, "ok, 451 4.4.2, 451 4.4.2",
	}, {
		"the message cannot be read again", first + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go
			C!`, &onceReader{Reader: strings.NewReader("hello\r\n"), err: broken}, "ok, 451 4.3.0, 451 4.3.0",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, ready("PIPELINING", "LIMITS RCPTMAX=1")+test.script)
			msg := test.msg
			if msg == nil {
				msg = strings.NewReader("hello\r\n")
			}
			c := f.connect(nil)
			err := c.Deliver(t.Context(), letter("a@example.com", "b@example.com", "c@example.com"), msg)
			if got := codes(err, 3); got != test.want {
				t.Errorf("got  %s\nwant %s (%v)", got, test.want, err)
			}
			c.Close()
			f.wait()
		})
	}
}

// onceReader fails when it has come to its end once.
type onceReader struct {
	*strings.Reader
	ended bool
	err   error
}

func (r *onceReader) Read(p []byte) (int, error) {
	if r.ended {
		return 0, r.err
	}
	n, err := r.Reader.Read(p)
	r.ended = err == io.EOF
	return n, err
}

// RFC 9422 section 4.1, and 3.6: the last EHLO counts.
func TestReady(t *testing.T) {
	const mail = "C: MAIL FROM:<a@example.org>\nS: 550 no\n"
	f := newFake(t, ready("PIPELINING", "LIMITS MAILMAX=1", "STARTTLS")+`
		C: STARTTLS
		S: 220 go
		T:
		C: EHLO client.example
		S: 250-mx.example.com
		S: 250 LIMITS MAILMAX=3 RCPTDOMAINMAX=2
		`+mail+"C: RSET\nS: 250 ok\n"+mail+"C: RSET\nS: 250 ok\n"+mail+"C!")
	c := f.connect(nil)
	for range 3 {
		if !c.Ready() || !c.Ready("a.example", "b.example", "A.example") || c.Ready("a.example", "b.example", "c.example") {
			t.Error("not ready, or for too much")
		}
		if err := c.Deliver(t.Context(), letter("b@a.example"), text("hello\r\n")); codes(err, 1) != "550" {
			t.Error(err)
		}
	}
	if c.Ready() {
		t.Error("still ready")
	}
	if err := c.Deliver(t.Context(), letter("b@a.example"), text("hello\r\n")); codes(err, 1) != "452 4.5.3" {
		t.Error(err)
	}
	if err := c.Mail(t.Context(), letter()); codes(err, 1) != "452 4.5.3" {
		t.Error(err)
	}
	c.Close()
	f.wait()
}

// Nor do limits outlast their EHLO when HELO comes after it.
func TestReadyAfterHELO(t *testing.T) {
	f := newFake(t, ready("LIMITS RCPTDOMAINMAX=1", "STARTTLS")+`
		C: STARTTLS
		S: 220 go
		T:
		C: EHLO client.example
		S: 500 what?
		C: HELO client.example
		S: 250 mx.example.com`)
	if c := f.connect(nil); !c.Ready("a.example", "b.example") {
		t.Error("a limit of the first EHLO holds")
	}
}

func TestReadyIsOpen(t *testing.T) {
	c := newFake(t, ready()).connect(nil)
	if !c.Ready("a.example") {
		t.Error("not ready")
	}
	c.Close()
	if c.Ready() {
		t.Error("ready, and closed")
	}
}

// A domain counts from its RCPT on, over all transactions.
func TestReadyForDomains(t *testing.T) {
	const mail = "C: MAIL FROM:<a@example.org>\nS: 250 ok\nC: RCPT TO:...\nS: 550 no\n"
	f := newFake(t, ready("LIMITS RCPTDOMAINMAX=2")+mail+"C: RSET\nS: 250 ok\n"+mail+"C: RSET\nS: 250 ok\nC: MAIL FROM:<a@example.org>\nS: 250 ok\n")
	c := f.connect(nil)
	for _, to := range []mailparts.Address{"a@a.example", "b@b.example"} {
		if err := c.Deliver(t.Context(), letter(to), text("hello\r\n")); codes(err, 1) != "550" {
			t.Error(err)
		}
	}
	if !c.Ready("A.EXAMPLE", "b.example") || c.Ready("c.example") {
		t.Error("not ready, or for too much")
	}
	if err := c.Mail(t.Context(), letter()); err != nil {
		t.Error(err)
	}
	if err := c.Rcpt(t.Context(), &mailparts.Rcpt{Addr: "c@c.example"}); codes(err, 1) != "452 4.5.3" {
		t.Error(err)
	}
}

// listError is an error that == may not be used on.
type listError []string

func (e listError) Error() string { return fmt.Sprint([]string(e)) }

// hiddenListError is one whose type does not show it.
type hiddenListError struct{ err error }

func (e hiddenListError) Error() string { return e.err.Error() }

// Errors from outside may be of any type.
func TestErrorsThatCannotBeCompared(t *testing.T) {
	for _, cause := range []error{listError{"one"}, hiddenListError{listError{"two"}}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		relay := smtp.Relay{Smarthost: fakeAddr}
		relay.Dialer.NetDial = newFake(t).dial
		if err := relay.Deliver(ctx, letter("b@example.com", "c@example.com"), text("hello\r\n")); err == nil {
			t.Error("delivered")
		}
		if got := smtp.Uniform(mailparts.RcptErrors{cause, cause}); got == nil {
			t.Error("no error")
		}
		if got, ok := smtp.Uniform(mailparts.RcptErrors{cause}).(mailparts.RcptErrors); ok {
			t.Errorf("one error as %v", got)
		}
	}
}
