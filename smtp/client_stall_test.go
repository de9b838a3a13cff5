package smtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// silent serves one connection with a script and then says nothing until the test
// ends: it is up to the client's deadlines. It must run in a bubble.
func silent(t *testing.T, script string) *smtp.Dialer {
	l := mailtest.NewListener()
	f := &fake{t: t, l: l, from: loopback}
	end := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		f.play(&openConn{nc}, script)
		<-end
		nc.Close()
	}()
	t.Cleanup(func() {
		close(end)
		l.Close()
		<-done
	})
	return f.dialer()
}

// Each step of a session has the time that RFC 5321 section 4.5.3.2 gives it.
func TestStalls(t *testing.T) {
	tests := []struct {
		name, script string
		set          smtp.Dialer
		want         time.Duration
	}{
		{"greeting", "", smtp.Dialer{}, 5 * time.Minute},
		{"half a greeting", "S> 220 m", smtp.Dialer{}, 5 * time.Minute},
		{"EHLO", "S: 220 mx\nC: EHLO client.example", smtp.Dialer{}, 5 * time.Minute},
		{"MAIL", ready() + "C: MAIL FROM:<a@example.org>", smtp.Dialer{}, 5 * time.Minute},
		{"end of message", ready() + mailDialogue + "C: hello\nC: .", smtp.Dialer{}, 10 * time.Minute},
		{"greeting, set", "", smtp.Dialer{CommandTimeout: time.Second}, time.Second},
		{"end of message, set", ready() + mailDialogue + "C: hello\nC: .", smtp.Dialer{EndTimeout: 2 * time.Second}, 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := silent(t, test.script)
				d.CommandTimeout, d.EndTimeout = test.set.CommandTimeout, test.set.EndTimeout
				start := time.Now()
				err := session(t.Context(), d, text("hello\r\n"))
				if took := time.Since(start); took != test.want {
					t.Errorf("took %v, want %v", took, test.want)
				}
				if got := codes(err, 1); got != "451 4.4.2" || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// A server that takes no more of a message has three minutes for each block.
func TestStalledMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready()+mailDialogue)
		start := time.Now()
		err := session(t.Context(), d, io.LimitReader(endless{}, 10<<20))
		if took := time.Since(start); took != 3*time.Minute {
			t.Errorf("took %v, want 3m", took)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// A handshake has the time of a reply, and its own.
func TestStalledHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready("STARTTLS")+"C: STARTTLS\nW: 2m\nS: 220 go")
		d.TLS = smtp.TLSMandatory
		start := time.Now()
		_, err := d.Dial(t.Context(), fakeAddr)
		if took := time.Since(start); took != 7*time.Minute || codes(err, 1) != "451 4.7.5" {
			t.Errorf("took %v: %v", took, err)
		}
	})
}

// A server that is gone when the message ends may have said why, and one that can
// only be written to no more has a second to do so.
func TestLastWordsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, ready()+mailDialogue+"S: 452 4.3.1 disk full")
		msg := io.MultiReader(strings.NewReader("hello\r\n"), pause(time.Second))
		if err := session(t.Context(), f.dialer(), msg); codes(err, 1) != "452 4.3.1" {
			t.Errorf("got %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready())
		dial, gone := d.NetDial, errors.New("gone")
		d.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := dial(ctx, network, addr)
			return &deafConn{nc, gone}, err
		}
		start := time.Now()
		err := session(t.Context(), d, text("hello\r\n"))
		if took := time.Since(start); took != time.Second || !errors.Is(err, gone) {
			t.Errorf("took %v: %v", took, err)
		}
	})
}

// deafConn takes EHLO and no more.
type deafConn struct {
	net.Conn
	err error
}

func (c *deafConn) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "EHLO") {
		return c.Conn.Write(p)
	}
	return 0, c.err
}

// A slow source of the message costs the server's patience, not ours.
func TestSlowSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready()+mailDialogue+"C: a\nC: b\nC: .\nS: 250 ok")
		slow := io.MultiReader(strings.NewReader("a\r\n"), pause(4*time.Minute), strings.NewReader("b\r\n"))
		if err := session(t.Context(), d, slow); err != nil {
			t.Error(err)
		}
	})
}

// A reply that comes octet by octet has the time of one reply, not of its octets.
func TestDrippingReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := mailtest.NewListener()
		var server sync.WaitGroup
		server.Go(func() {
			nc, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			defer nc.Close()
			for err == nil {
				time.Sleep(time.Minute)
				_, err = nc.Write([]byte("2"))
			}
		})
		start := time.Now()
		d := smtp.Dialer{NetDial: l.Dial}
		_, err := d.Dial(t.Context(), fakeAddr)
		if took := time.Since(start); took != 5*time.Minute {
			t.Errorf("took %v (%v)", took, err)
		}
		server.Wait()
	})
}

// The end of a context interrupts whatever is under way, at once.
func TestCancel(t *testing.T) {
	tests := []struct {
		name, script string
		msg          io.Reader
	}{
		{"greeting", "", nil},
		{"MAIL", ready() + "C: MAIL FROM:<a@example.org>", nil},
		{"message", ready() + mailDialogue, io.LimitReader(endless{}, 10<<20)},
		{"end of message", ready() + mailDialogue + "C: hello\nC: .", nil},
		{"handshake", ready("STARTTLS") + "C: STARTTLS\nS: 220 go", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := silent(t, test.script)
				stop := errors.New("that will do")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(stop) })
				msg := test.msg
				if msg == nil {
					msg = text("hello\r\n")
				}
				start := time.Now()
				err := session(ctx, d, msg)
				if took := time.Since(start); took != time.Second {
					t.Errorf("took %v, want 1s", took)
				}
				if !errors.Is(err, stop) && !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// A context that ends between two calls interrupts neither.
func TestCancelAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready()+"C: NOOP\nS: 250 ok\nC: NOOP\nS: 250 ok")
		ctx, cancel := context.WithCancel(t.Context())
		c, err := d.Dial(ctx, fakeAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Noop(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if err := c.Noop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Nor does one that ends when the answer is there already.
func TestCancelTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready()+"C: NOOP\nS: 250 ok\nC: NOOP\nS: 250 ok")
		ctx, cancel := context.WithCancel(t.Context())
		dial := d.NetDial
		d.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := dial(ctx, network, addr)
			return &lateConn{nc, cancel}, err
		}
		c, err := d.Dial(t.Context(), fakeAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, ctx := range []context.Context{ctx, t.Context()} {
			if err := c.Noop(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}

// lateConn calls cancel when it has read "250 ok".
type lateConn struct {
	net.Conn
	cancel func()
}

func (c *lateConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if string(p[:n]) == "250 ok\r\n" {
		c.cancel()
		synctest.Wait()
	}
	return n, err
}

// A server that does not say goodbye is not waited for.
func TestQuitStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready()+"C: QUIT")
		c, err := d.Dial(t.Context(), fakeAddr)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		c.Quit(t.Context())
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v, want 5s", took)
		}
	})
}

// openConn stays open when the script is over.
type openConn struct{ net.Conn }

func (*openConn) Close() error { return nil }

// session is a whole one, with one message.
func session(ctx context.Context, d *smtp.Dialer, msg io.Reader) error {
	c, err := d.Dial(ctx, fakeAddr)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Deliver(ctx, letter("b@example.com"), msg)
}

// endless is a message without an end.
type endless struct{}

func (endless) Read(p []byte) (n int, err error) {
	const l = "a line of a message that goes on and on, and then on and on and on"
	for len(p)-n >= len(l)+2 {
		n += copy(p[n:], l+"\r\n")
	}
	return n + copy(p[n:], l), nil
}

// pause is an empty reader that takes its time.
func pause(d time.Duration) io.Reader {
	return readerFunc(func([]byte) (int, error) {
		time.Sleep(d)
		return 0, io.EOF
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
