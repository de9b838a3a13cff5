package smtp_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// A peer that goes away leaves nothing, wherever it stops: go-smtp accepts a last
// chunk that was cut short.
func TestBDATDisconnect(t *testing.T) {
	text := "BDAT 7\r\nhello\r\nNOOP\r\nBDAT 0\r\nBDAT 36 LAST\r\n" + unescape(evil)
	for stop := len("BDAT 7\r\n"); stop < len(text); stop++ {
		synctest.Test(t, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b})
			c.play(t, toBDAT)
			c.send(t, text[:stop])
			c.Close()
			synctest.Wait()
			if b.count() != 0 || b.open != 0 || b.closed != 1 {
				t.Fatalf("stopped at %d: %d messages, %d transactions open, %d closed", stop, b.count(), b.open, b.closed)
			}
			if len(b.failed) != 1 || errors.Is(b.failed[0], io.EOF) {
				t.Fatalf("stopped at %d: Read said %v", stop, b.failed)
			}
		})
	}
}

// DataTimeout holds in a chunk, CommandTimeout between two.
func TestBDATTimeout(t *testing.T) {
	for _, test := range []struct {
		name, script string
		after        time.Duration
	}{
		{"in a chunk", `C> BDAT 100\r\nRSET\r\n`, 3 * time.Minute},
		{"in the last", "C: BDAT 7\\r\\nhello\nS: 250 ...\nC> BDAT 100 LAST\\r\\nRSET\\r\\n", 3 * time.Minute},
		{"between chunks", "C: BDAT 7\\r\\nhello\nS: 250 ...\nC> BD", 5 * time.Minute},
		{"in one that is dropped", "C> BDAT 8\\r\\nhel\\nlo\\r\\nBDAT 100\\r\\nRSET\\r\\n\nS: 550 ...", 3 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := new(inbox)
				c := dialServer(t, &smtp.Server{Receiver: b})
				c.wait = time.Hour
				c.play(t, toBDAT+test.script)
				start := time.Now()
				c.play(t, `
					S: 421 4.4.2 Timeout, closing the connection
					S!
				`)
				if took := time.Since(start); took != test.after {
					t.Errorf("after %v", took)
				}
				if b.count() != 0 || b.open != 0 || b.closed != 1 {
					t.Errorf("%d messages, %d transactions open, %d closed", b.count(), b.open, b.closed)
				}
			})
		})
	}
}

// A chunk under way is taken, as a message is; a peer that has nothing to say
// between two is sent away, and its message with it.
func TestBDATShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, idle := new(inbox), new(inbox)
		s := &smtp.Server{Receiver: routed{"inside@example.org": inside, "idle@example.org": idle}}
		l := startServer(t, s)
		a, b := connectTo(t, l), connectTo(t, l)
		a.play(t, strings.ReplaceAll(toBDAT, "a@", "inside@")+`C> BDAT 14 LAST\r\nhello\r\n`)
		b.play(t, strings.ReplaceAll(toBDAT, "a@", "idle@")+"C: BDAT 7\\r\\nhello\nS: 250 2.0.0 OK, 7 octets received")
		synctest.Wait()
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		b.play(t, goodbye)
		a.play(t, `
			C: world
			S: 250 2.0.0 OK queued as ID
			`+goodbye)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := inside.only(t).content(t); got != "hello\r\nworld\r\n" {
			t.Errorf("got %q", got)
		}
		if idle.count() != 0 || len(idle.failed) != 1 || idle.open != 0 {
			t.Errorf("%d messages, Read said %v, %d transactions open", idle.count(), idle.failed, idle.open)
		}
	})
}

// routed is a Receiver for each sender.
type routed map[mailparts.Address]mailparts.Receiver

func (r routed) Mail(ctx context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	return r[env.From].Mail(ctx, env)
}

// VRFY's hook runs inside of Data's Read, which a Receiver may call on a goroutine
// of its own: a panic must not end the program.
func TestBDATPanicBetweenChunks(t *testing.T) {
	read := make(chan error, 1)
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		go func() {
			_, err := io.Copy(io.Discard, msg)
			read <- err
		}()
		return <-read
	})
	s := &smtp.Server{Receiver: r}
	s.Verify = func(context.Context, *mailparts.Peer, string) (string, error) { panic("at VRFY") }
	play(t, s, toBDAT+`
		C: BDAT 7\r\nhello\r\nVRFY user
		S: 250 2.0.0 OK, 7 octets received
		S: 421 4.3.0 Internal error, closing the connection
		S!
	`)
}
