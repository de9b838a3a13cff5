package throttle_test

import (
	"context"
	"fmt"
	"io"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/throttle"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// door is an SMTP server that takes everything for known addresses.
type door struct{ l *mailtest.Listener }

func open(t *testing.T, filters ...mailparts.Filter) door {
	t.Helper()
	inbox := mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		return err
	})
	known := mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
		switch {
		case strings.HasPrefix(string(to.Addr), "busy"):
			return &mailparts.Error{Code: 450, Status: "4.2.1", Message: "Mailbox busy"}
		case !strings.HasPrefix(string(to.Addr), "known"):
			return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user here"}
		}
		return nil
	})
	return serve(t, &smtp.Server{Receiver: mailparts.Chain(mailparts.AsReceiver(inbox), append(filters, known)...)})
}

func serve(t *testing.T, s *smtp.Server) door {
	t.Helper()
	s.Hostname = "mx.example.com"
	l := mailtest.NewListener()
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return door{l}
}

// play runs lines "C: command" and "S: reply", each reply exact, on a new
// connection that has said EHLO.
func (d door) play(t *testing.T, script string) {
	t.Helper()
	nc, err := d.l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c := textproto.NewConn(nc)
	defer c.Close()
	c.ReadResponse(220)
	c.PrintfLine("EHLO client.example.org")
	c.ReadResponse(250)
	for line := range strings.Lines(script) {
		kind, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "C:":
			c.PrintfLine("%s", text)
		case "S:":
			if got, err := c.ReadLine(); got != text {
				t.Errorf("got %q, %v, want %q", got, err, text)
			}
		case "S!":
			if got, err := c.ReadLine(); err == nil {
				t.Errorf("got %q, want the end of the connection", got)
			}
		}
	}
}

// A connection counts once, however often the server asks about its peer.
func TestAdmitDialogue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &throttle.Limiter{Events: 2, Per: time.Minute}
		l := serve(t, &smtp.Server{Admit: limit.Admit, Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(nil))}).l
		for i, want := range []string{"220", "220", "421"} {
			nc, err := l.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			c := textproto.NewConn(nc)
			if got, err := c.ReadLine(); !strings.HasPrefix(got, want) {
				t.Errorf("connection %d: got %q, %v, want %s", i, got, err, want)
			}
			if want == "220" {
				c.PrintfLine("EHLO client.example.org")
				c.ReadResponse(250)
				c.PrintfLine("HELO client.example.org")
				c.ReadResponse(250)
			}
		}
	})
}

func TestMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &throttle.Limiter{Events: 2, Per: time.Hour}
		d := open(t, mailparts.OnMail(l.Mail))
		d.play(t, `
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RSET
			S: 250 2.0.0 OK
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RSET
			S: 250 2.0.0 OK
			C: MAIL FROM:<a@example.org>
			S: 450 4.7.1 Too many messages, try again later
			C: NOOP
			S: 250 2.0.0 OK`)
		time.Sleep(30 * time.Minute)
		d.play(t, `
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK`)
	})
}

func TestRcpt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &throttle.Limiter{Events: 2, Per: time.Hour}
		open(t, mailparts.OnRcpt(l.Rcpt)).play(t, `
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<known1@example.com>
			S: 250 2.1.5 OK
			C: RCPT TO:<known2@example.com>
			S: 250 2.1.5 OK
			C: RCPT TO:<known3@example.com>
			S: 452 4.5.3 Too many recipients, try again later
			C: DATA
			S: 354 End data with <CR><LF>.<CR><LF>
			C: .`)
	})
}

func TestFailedRcpts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &throttle.Limiter{Events: 2, Per: time.Hour}
		d := open(t, l.FailedRcpts)
		d.play(t, `
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<known1@example.com>
			S: 250 2.1.5 OK
			C: RCPT TO:<busy@example.com>
			S: 450 4.2.1 Mailbox busy
			C: RCPT TO:<aa@example.com>
			S: 550 5.1.1 No such user here
			C: RCPT TO:<known2@example.com>
			S: 250 2.1.5 OK`)
		d.play(t, `
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<ab@example.com>
			S: 550 5.1.1 No such user here
			C: RCPT TO:<known3@example.com>
			S: 421 4.7.0 Too many unknown recipients, try again later
			S!`)
		time.Sleep(30 * time.Minute)
		d.play(t, `
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<known3@example.com>
			S: 250 2.1.5 OK`)
	})
}

// Mail that was made here has no Peer, and no limit.
func TestMailMadeHere(t *testing.T) {
	l := &throttle.Limiter{Events: 1, By: throttle.User}
	for range 3 {
		if err := l.Mail(t.Context(), new(mailparts.Envelope)); err != nil {
			t.Error(err)
		}
	}
}

func ExampleLimiter() {
	perUser := &throttle.Limiter{Events: 2, Per: time.Hour, By: throttle.User}
	inbox := mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { return nil })
	receiver := mailparts.Chain(mailparts.AsReceiver(inbox), mailparts.OnMail(perUser.Mail))

	ctx := context.Background()
	for _, user := range []string{"alice", "alice", "alice", "bob"} {
		tx, err := receiver.Mail(ctx, &mailparts.Envelope{Peer: &mailparts.Peer{User: user}})
		if err == nil {
			tx.Close()
		}
		fmt.Println(user, err)
	}
	// Output:
	// alice <nil>
	// alice <nil>
	// alice 450 4.7.1 Too many messages, try again later
	// bob <nil>
}
