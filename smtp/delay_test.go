package smtp_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// took plays script and reports how long that takes, in a bubble of synctest.
func (c *wire) took(t *testing.T, script string) time.Duration {
	t.Helper()
	start := time.Now()
	c.play(t, script)
	return time.Since(start)
}

func TestBannerDelay(t *testing.T) {
	for _, test := range []struct {
		name, early, script string
		want                time.Duration
	}{
		{"patient", "", "G: EHLO", 10 * time.Second},
		{"early", "C: EHLO client.example.org", `
			S: 554 5.5.0 You must not talk before you are greeted
			S: 503 You are not welcome here: QUIT
			C: MAIL FROM:<a@example.org>
			S: 503 5.5.1 You are not welcome here: QUIT
			C: QUIT
			S: 221 ...
			S!`, 0},
		{"one octet early", "C> Q", `
			S: 554 5.5.0 ...
			C: UIT
			S: 221 ...
			S!`, 0},
		{"all at once", `C: HELO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nbuy\r\n.\r\nQUIT`, `
			S: 554 5.5.0 ...
			S: 503 You are not welcome here: QUIT
			S: 503 5.5.1 You are not welcome here: QUIT
			S: 503 5.5.1 You are not welcome here: QUIT
			S: 503 5.5.1 You are not welcome here: QUIT
			# what comes next is a message, for all that is known
			S: 421 4.5.0 Data before its 354, closing the connection
			S!`, 0},
		{"TLS where there is none", `C> \x16\x03\x01`, "S: 554 5.5.0 ...", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bouncer{}
				c := dialServer(t, &smtp.Server{Receiver: new(inbox), BannerDelay: 10 * time.Second, Admit: b.admit})
				c.wait = time.Hour
				c.play(t, strings.NewReplacer(`\x16`, "\x16", `\x03`, "\x03", `\x01`, "\x01").Replace(test.early))
				if got := c.took(t, test.script); got != test.want {
					t.Errorf("took %v, want %v", got, test.want)
				}
				if test.early != "" {
					b.want(t) // nothing is looked up for it
				}
			})
		})
	}
}

// The handshake is no talk; what comes in TLS before the greeting is.
func TestBannerDelayUnderTLS(t *testing.T) {
	for _, early := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &smtp.Server{Receiver: new(inbox), BannerDelay: 10 * time.Second, TLSConfig: testTLS(), Hostname: "mx.example.com"}
			c := connectTo(t, listen(t, s, s.ServeTLS))
			c.wait = time.Hour
			start := time.Now()
			c.startTLS(t)
			c.greeted = false
			if early {
				c.play(t, "C: EHLO client.example.org\nS: 554 5.5.0 ...\nS: 503 ...")
			} else if c.play(t, "G: EHLO"+toMessage); time.Since(start) != 10*time.Second {
				t.Errorf("took %v", time.Since(start))
			}
		})
	}
}

func TestBannerDelayEndsEarly(t *testing.T) {
	t.Run("by the peer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &smtp.Server{Receiver: new(inbox), BannerDelay: time.Hour}
			dialServer(t, s).Close()
			synctest.Wait()
			start := time.Now()
			if err := s.Shutdown(t.Context()); err != nil || time.Since(start) != 0 {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	})
	t.Run("by Shutdown", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &smtp.Server{Receiver: new(inbox), BannerDelay: time.Hour}
			c := dialServer(t, s)
			synctest.Wait()
			start := time.Now()
			if err := s.Shutdown(t.Context()); err != nil || time.Since(start) != 0 {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			c.play(t, goodbye)
		})
	})
}

// Where nobody receives, there is nobody to protect.
func TestBannerDelayOfAHostWithoutMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialServer(t, &smtp.Server{BannerDelay: time.Hour})
		c.play(t, "S: 521 ...")
	})
}

func TestErrorDelay(t *testing.T) {
	const refusal = "C: RCPT TO:<unknown@example.com>\nS: 550 5.1.1 No such user\n"
	synctest.Test(t, func(t *testing.T) {
		c := dialServer(t, &smtp.Server{Receiver: new(inbox), ErrorDelay: 5 * time.Second})
		c.wait = time.Hour
		for _, step := range []struct {
			name, script string
			want         time.Duration
		}{
			{"three for nothing", "G: EHLO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK\n" + strings.Repeat(refusal, 3), 0},
			{"the fourth and fifth", refusal + refusal, 10 * time.Second},
			{"what is not refused", "C: RCPT TO:<b@example.com>\nS: 250 2.1.5 OK", 0},
			{"pipelined", `
				C: NOOP\r\nRCPT TO:<unknown@example.com>\r\nNONSENSE\r\nRCPT TO:<busy@example.com>\r\nNOOP
				S: 250 2.0.0 OK
				S: 550 5.1.1 No such user
				S: 500 5.5.2 Unknown command
				S: 450 4.2.1 Mailbox busy
				S: 250 2.0.0 OK`, 10 * time.Second}, // what is unknown is answered at once: RFC 2920 section 3.2
			{"before a message", `
				C: RCPT TO:<unknown@example.com>\r\nDATA
				S: 550 5.1.1 No such user
				S: 354 ...`, 5 * time.Second},
			{"forgiven", "C: .\nS: 250 2.0.0 OK queued as ID\n" + strings.Repeat("C: DATA\nS: 503 5.5.1 Need MAIL first\n", 3), 0},
			{"not forever", "C: DATA\nS: 503 5.5.1 Need MAIL first", 5 * time.Second},
			{"goodbye", "C: QUIT\nS: 221 ...\nS!", 0},
		} {
			if got := c.took(t, step.script); got != step.want {
				t.Errorf("%s: took %v, want %v", step.name, got, step.want)
			}
		}
	})
}

// LMTP's many replies to one message wait together.
func TestErrorDelayOfLMTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := mailparts.OnData(func(mailparts.Deliverer) mailparts.Deliverer {
			return mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { return errBusyNow })
		})
		c := dialServer(t, &smtp.Server{Receiver: mailparts.Chain(new(inbox), full), LMTP: true, ErrorDelay: 5 * time.Second})
		c.wait = time.Hour
		took := c.took(t, "G: LHLO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK\n"+
			strings.Repeat("C: RCPT TO:<b@example.com>\nS: 250 2.1.5 OK\n", 5)+`
			C: DATA
			S: 450 4.7.1 Not now`)
		if took != 0 {
			t.Errorf("one refusal took %v", took)
		}
	})
}

// What a peer waits for is not taken from the time for its next command, and Shutdown
// and Close do not wait for it.
func TestErrorDelayAndTheClock(t *testing.T) {
	const refusals = "G: EHLO\nC: DATA\nS: 503 ...\nC: DATA\nS: 503 ...\nC: DATA\nS: 503 ...\nC: DATA\n"
	start := func(t *testing.T) (*smtp.Server, *wire) {
		s := &smtp.Server{Receiver: new(inbox), ErrorDelay: time.Hour, CommandTimeout: time.Minute}
		c := dialServer(t, s)
		c.wait = 24 * time.Hour
		c.play(t, refusals)
		return s, c
	}
	t.Run("time for the next command", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, c := start(t)
			c.play(t, "S: 503 ...")
			time.Sleep(59 * time.Second)
			c.play(t, "C: NOOP\nS: 250 ...")
		})
	})
	t.Run("Shutdown", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start(t)
			time.Sleep(time.Second)
			start := time.Now()
			if err := s.Shutdown(t.Context()); err != nil || time.Since(start) != 0 {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			c.play(t, "S: 503 ...\n"+goodbye)
		})
	})
	t.Run("Close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start(t)
			time.Sleep(time.Second)
			start := time.Now()
			if err := s.Close(); err != nil || time.Since(start) != 0 {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			c.play(t, "S!")
		})
	})
	t.Run("off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := dialServer(t, &smtp.Server{Receiver: new(inbox)})
			if took := c.took(t, refusals+"S: 503 ..."); took != 0 {
				t.Errorf("took %v", took)
			}
		})
	})
}
