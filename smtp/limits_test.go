package smtp_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestTooManyErrors(t *testing.T) {
	for _, command := range []string{"FOO", "MAIL", "RCPT TO:<unknown@example.com>", "STARTTLS", "DATA now", `\n`} {
		t.Run(command, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, MaxErrors: 4})
			c.play(t, `
				G: EHLO
				C: MAIL FROM:<a@example.org>
				S: 250 2.1.0 OK
			`)
			for range 4 {
				c.play(t, "C: "+command)
				if l := c.line(t); l[0] != '5' {
					t.Fatalf("got %q", l)
				}
			}
			c.play(t, `
				S: 421 4.7.0 Too many errors, closing the connection
				S!
			`)
		})
	}
}

// A peer that sends mail for hours may err now and then.
func TestAcceptedMessageForgivesErrors(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), MaxErrors: 3}, "G: EHLO\n"+strings.Repeat(`
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<unknown@example.com>\r\nRCPT TO:<unknown@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 550 5.1.1 No such user
		S: 550 5.1.1 No such user
		S: 250 2.1.5 OK
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`, 5))
}

// What is our own trouble is no mistake of the peer's.
func TestTemporaryRefusalsAreNotCounted(t *testing.T) {
	full := mailparts.OnData(func(mailparts.Deliverer) mailparts.Deliverer {
		return mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error {
			return &mailparts.Error{Code: 452, Status: "4.3.1", Message: "Disk full"}
		})
	})
	for _, lmtp := range []bool{false, true} {
		hello := map[bool]string{false: "G: EHLO\n", true: "G: LHLO\n"}[lmtp]
		play(t, &smtp.Server{Receiver: mailparts.Chain(new(inbox), full), LMTP: lmtp, MaxErrors: 2}, hello+strings.Repeat(`
			C: MAIL FROM:<a@example.org>\r\nRCPT TO:<busy@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA
			S: 250 2.1.0 OK
			S: 450 4.2.1 Mailbox busy
			S: 250 2.1.5 OK
			S: 452 4.3.1 Disk full
		`, 5)+`
			C: FOO
			S: 500 5.5.2 Unknown command
			C: FOO
			S: 500 5.5.2 Unknown command
			S: 421 4.7.0 Too many errors, closing the connection
			S!
		`)
	}
}

// But a peer must not try passwords forever, whatever they are refused for.
func TestTemporaryRefusalsOfAuthAreCounted(t *testing.T) {
	attempt := "C: AUTH PLAIN " + b64("\x00broken\x00secret") + "\nS: 454 4.7.0 Temporary authentication failure\n"
	play(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{}, MaxErrors: 3}, tlsFirst+
		strings.Repeat(attempt, 3)+`
		S: 421 4.7.0 Too many errors, closing the connection
		S!
	`)
}

func TestCommandTimeout(t *testing.T) {
	for name, script := range map[string]string{
		"greeting":      "S: 220 ...",
		"command":       "G: EHLO",
		"half a line":   "G: EHLO\nC> MAIL FR",
		"pipelined":     "G: EHLO\nC> NOOP\\r\\nNO\nS: 250 2.0.0 OK",
		"AUTH response": strings.TrimSpace(tlsFirst) + "\nC: AUTH LOGIN\nS: 334 " + b64("Username:"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := dialServer(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{}, CommandTimeout: 7 * time.Minute})
				c.wait = time.Hour
				c.play(t, script)
				start := time.Now()
				c.play(t, `
					S: 421 4.4.2 Timeout, closing the connection
					S!
				`)
				if took := time.Since(start); took != 7*time.Minute {
					t.Errorf("after %v", took)
				}
			})
		})
	}
}

// A peer must not keep a connection by one octet now and then.
func TestTrickledCommandTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialServer(t, &smtp.Server{Receiver: new(inbox)})
		c.wait = time.Hour
		c.play(t, "G: EHLO")
		start := time.Now()
		var trickle sync.WaitGroup
		defer trickle.Wait()
		trickle.Go(func() {
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Minute + time.Second)
			}
		})
		c.play(t, `
			S: 421 4.4.2 Timeout, closing the connection
			S!
		`)
		if took := time.Since(start); took != 5*time.Minute {
			t.Errorf("after %v", took)
		}
	})
}

func TestTrickledMessageTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(inbox)
		c := dialServer(t, &smtp.Server{Receiver: b})
		c.wait = time.Hour
		c.play(t, toData)
		start := time.Now()
		var trickle sync.WaitGroup
		defer trickle.Wait()
		trickle.Go(func() {
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		c.play(t, `
			S: 421 4.4.2 Timeout, closing the connection
			S!
		`)
		if took := time.Since(start); took < 3*time.Minute || took > 3*time.Minute+time.Second {
			t.Errorf("after %v", took)
		}
		if b.count() != 0 {
			t.Error("the message is there")
		}
	})
}

// DataTimeout is for each block: a slow peer may take hours for a big message. And
// the time that the Receiver takes is not the peer's.
func TestSlowMessageIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			for {
				m, err := msg.Read(make([]byte, 32<<10))
				n += m
				if err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				time.Sleep(10 * time.Minute)
			}
		})
		c := dialServer(t, &smtp.Server{Receiver: r})
		c.wait = 24 * time.Hour
		c.play(t, toData)
		block := strings.Repeat(strings.Repeat("x", 1022)+"\r\n", 16)
		for range 50 {
			time.Sleep(80 * time.Second)
			c.send(t, block)
		}
		c.play(t, `
			C: .
			S: 250 2.0.0 OK queued as ID
		`)
		if n < 50*16<<10 {
			t.Errorf("%d octets", n)
		}
	})
}

// A peer that reads nothing costs a deadline, not a goroutine.
func TestPeerThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &smtp.Server{Receiver: new(inbox)}
		c := dialServer(t, s)
		go func() {
			for {
				if _, err := c.Write([]byte(strings.Repeat("HELP\r\n", 1000))); err != nil {
					return
				}
			}
		}()
		time.Sleep(4 * time.Minute)
		start := time.Now()
		if err := s.Shutdown(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Shutdown took %v: %v", time.Since(start), err)
		}
	})
}

func TestTooManyConnections(t *testing.T) {
	const busy = "S: 421 4.3.2 mx.example.com Too many connections, try again later\nS!"
	from := func(t *testing.T, l interface {
		DialFrom(context.Context, netip.Addr) (net.Conn, error)
	}, addr string) *wire {
		nc, err := l.DialFrom(context.Background(), netip.MustParseAddr(addr))
		if err != nil {
			t.Fatal(err)
		}
		return newWire(t, nc)
	}
	t.Run("in all", func(t *testing.T) {
		l := startServer(t, &smtp.Server{Receiver: new(inbox), MaxConns: 2})
		connectTo(t, l).play(t, "S: 220 ...")
		first := connectTo(t, l)
		first.play(t, "S: 220 ...")
		connectTo(t, l).play(t, busy)
		first.play(t, "C: QUIT\nS: 221 ...\nS!")
	})
	t.Run("from one address", func(t *testing.T) {
		l := startServer(t, &smtp.Server{Receiver: new(inbox), MaxConnsPerAddr: 1})
		from(t, l, "192.0.2.1").play(t, "S: 220 ...")
		from(t, l, "192.0.2.1").play(t, busy)
		from(t, l, "192.0.2.2").play(t, "S: 220 ...")
		from(t, l, "2001:db8::1").play(t, "S: 220 ...")
		from(t, l, "2001:db8::2").play(t, busy) // the same network
		from(t, l, "2001:db8:0:1::1").play(t, "S: 220 ...")
	})
	t.Run("no limit", func(t *testing.T) {
		l := startServer(t, &smtp.Server{Receiver: new(inbox), MaxConns: -1, MaxConnsPerAddr: -1})
		for range 50 {
			connectTo(t, l).play(t, "S: 220 ...")
		}
	})
}

func TestNoLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &smtp.Server{Receiver: new(inbox), MaxMessageBytes: -1, MaxRecipients: -1, MaxErrors: -1, CommandTimeout: -1, DataTimeout: -1}
		c := dialServer(t, s)
		c.wait = 1000 * time.Hour
		c.play(t, `
			S: 220 mx.example.com ESMTP
			C: EHLO client.example.org
			S: 250-mx.example.com
			S: 250-PIPELINING
			S: 250-SIZE
			S: 250-8BITMIME
			S: 250-CHUNKING
			S: 250-SMTPUTF8
			S: 250-ENHANCEDSTATUSCODES
			S: 250 HELP
			C: MAIL FROM:<a@example.org> SIZE=9223372036854775807
			S: 250 2.1.0 OK
		`)
		c.play(t, strings.Repeat("C: RCPT TO:<b@example.com>\nS: 250 2.1.5 OK\n", 1100))
		c.play(t, strings.Repeat("C: FOO\nS: 500 5.5.2 Unknown command\n", 50))
		time.Sleep(100 * time.Hour)
		c.play(t, "C: DATA\nS: 354 ...\nC: hello")
		time.Sleep(100 * time.Hour)
		c.play(t, "C: .\nS: 250 2.0.0 OK queued as ID")
	})
}

// Commands that move no mail are many enough to keep a connection alive, and not
// so many that it costs nothing to hold it for ever.
func TestJunk(t *testing.T) {
	for _, command := range []string{"NOOP", "RSET", "HELP", "EHLO a", "HELO a", "VRFY x"} {
		t.Run(command, func(t *testing.T) {
			c := dialServer(t, &smtp.Server{Receiver: new(inbox), MaxJunk: 6})
			const message = `
				C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.
				S: 250 2.1.0 OK
				S: 250 2.1.5 OK
				S: 354 ...
				S: 250 2.0.0 OK queued as ID
			`
			last := func() string {
				for {
					if l := c.line(t); l[3] == ' ' {
						return l
					}
				}
			}
			c.play(t, "G: HELO"+message) // which forgives the HELO
			for range 6 {
				c.play(t, "C: "+command)
				if l := last(); l[0] != '2' {
					t.Fatalf("got %q", l)
				}
			}
			c.play(t, "C: "+command)
			if l := last(); !strings.HasPrefix(l, "421 ") || !strings.HasSuffix(l, "Too many commands that move no mail, closing the connection") {
				t.Fatalf("got %q", l)
			}
			c.play(t, "S!")
		})
	}
	play(t, &smtp.Server{Receiver: new(inbox), MaxJunk: -1}, "G: EHLO\n"+strings.Repeat("C: NOOP\nS: 250 2.0.0 OK\n", 200))
}
