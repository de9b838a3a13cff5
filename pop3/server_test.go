package pop3_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/pop3"
)

// TestAutologout closes without a word and deletes nothing (RFC 1939 section 3).
func TestAutologout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startMemory(t, nil)
		r.fill("x\r\n")
		c := r.login()
		c.talk("C: DELE 1\nS: +OK ...")
		for range 3 {
			time.Sleep(9 * time.Minute)
			c.talk("C: NOOP\nS: +OK")
		}
		began := time.Now()
		c.talk("S: EOF")
		if d := time.Since(began); d != 10*time.Minute {
			t.Errorf("closed after %v, want 10m", d)
		}
		if n := r.left(); n != 1 {
			t.Errorf("%d messages left, want 1", n)
		}
	})
}

// TestSlowCommand sends an octet now and then: it is the command that counts.
func TestSlowCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startMemory(t, func(s *pop3.Server) { s.Timeout = time.Minute })
		c := r.dial()
		began := time.Now()
		for {
			if _, err := io.WriteString(c.Conn, "x"); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if d := time.Since(began); d < time.Minute || d > 61*time.Second {
			t.Errorf("closed after %v, want 1m", d)
		}
	})
}

// TestAuthTimeout stops in the middle of AUTH.
func TestAuthTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startMemory(t, nil)
		c := r.dial()
		c.talk("C: AUTH PLAIN\nS: + ")
		began := time.Now()
		c.talk("S: EOF")
		if d := time.Since(began); d != 10*time.Minute {
			t.Errorf("closed after %v, want 10m", d)
		}
	})
}

func TestNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startMemory(t, func(s *pop3.Server) { s.Timeout = -1 })
		c := r.login()
		time.Sleep(1000 * time.Hour)
		c.talk("C: NOOP\nS: +OK")
	})
}

// TestStalledReader takes nothing of a large message: it costs a deadline, not a
// goroutine.
func TestStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startMemory(t, nil)
		r.fill(strings.Repeat("0123456789\r\n", 100000))
		c := r.login()
		c.send("RETR 1\r\n")
		began := time.Now()
		r.waitUnlocked()
		if d := time.Since(began); d != 3*time.Minute {
			t.Errorf("given up after %v, want 3m", d)
		}
	})
}

// TestShutdown says goodbye to who is idle.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startMemory(t, nil)
		r.fill("x\r\n")
		fresh, inAuth, loggedIn := r.dial(), r.dial(), r.login()
		inAuth.talk("C: AUTH PLAIN\nS: + ")
		loggedIn.talk("C: DELE 1\nS: +OK ...")
		synctest.Wait()
		if err := r.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		for _, c := range []*client{fresh, inAuth, loggedIn} {
			c.talk("S: -ERR [SYS/TEMP] The server is shutting down\nS: EOF")
		}
		if err := <-r.stopped; err != mailparts.ErrServerClosed {
			t.Errorf("Serve returned %v", err)
		}
		if n := r.left(); n != 1 {
			t.Errorf("%d messages left, want 1", n)
		}
		if err := r.Serve(mailtest.NewListener()); err != mailparts.ErrServerClosed {
			t.Errorf("Serve after Shutdown returned %v", err)
		}
	})
}

// TestShutdownWaits lets a RETR finish, and not what comes after it.
func TestShutdownWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("0123456789\r\n", 100000)
		r := startMemory(t, nil)
		r.fill(text)
		c := r.login()
		c.talk("C: RETR 1\nS: +OK ...")
		done := make(chan error)
		go func() { done <- r.Shutdown(context.Background()) }()
		synctest.Wait()
		if got := c.message(); got != text {
			t.Error("the message came back changed")
		}
		c.talk("S: -ERR [SYS/TEMP] The server is shutting down\nS: EOF")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestShutdownByForce ends with its context.
func TestShutdownByForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startMemory(t, nil)
		r.fill(strings.Repeat("0123456789\r\n", 100000))
		c := r.login()
		c.send("RETR 1\r\n") // and read nothing
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a deadline exceeded", err)
		}
		r.waitUnlocked()
	})
}

func TestConnectionLimits(t *testing.T) {
	r := start(t, func(s *pop3.Server) { s.MaxConnsPerAddr = 1 })
	first := r.dial()
	r.open().talk("S: -ERR [SYS/TEMP] Too many connections, please try again later\nS: EOF")
	first.login("alice")
}

func TestNoLimits(t *testing.T) {
	r := start(t, func(s *pop3.Server) { s.MaxErrors, s.MaxLoginFailures = -1, -1 })
	c := r.dial()
	for range 50 {
		c.talk("C: XYZZY\nS: -ERR Unknown command\nC: USER alice\nS: +OK ...\nC: PASS wrong\nS: -ERR [AUTH] ...")
	}
	c.login("alice")
}

type contextKey struct{}

// TestContext follows a value from BaseContext by ConnContext to the Backend, and
// sees the context end with the connection.
func TestContext(t *testing.T) {
	seen := make(chan context.Context, 1)
	r := start(t, func(s *pop3.Server) {
		s.BaseContext = func(net.Listener) context.Context {
			return context.WithValue(context.Background(), contextKey{}, "base")
		}
		s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, contextKey{}, ctx.Value(contextKey{}).(string)+" "+c.RemoteAddr().Network())
		}
		s.Backend = opened{s.Backend, seen}
	})
	c := r.login()
	ctx := <-seen
	if got := ctx.Value(contextKey{}); got != "base tcp" {
		t.Errorf("the Backend's context has %q", got)
	}
	if ctx.Err() != nil {
		t.Error("the context ends before the connection")
	}
	c.Close()
	<-ctx.Done()
}

// opened tells the contexts of Open.
type opened struct {
	mailparts.Backend
	seen chan<- context.Context
}

func (o opened) Open(ctx context.Context, user string) (mailparts.Store, error) {
	o.seen <- ctx
	return o.Backend.Open(ctx, user)
}

// countingConn counts the writes of a server.
type countingConn struct {
	net.Conn
	writes chan int
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes <- len(p)
	return c.Conn.Write(p)
}

type countingListener struct {
	net.Listener
	writes chan int
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l.writes}, err
}

// TestPipelining answers a batch of commands in one write.
func TestPipelining(t *testing.T) {
	r := newRig(t, nil)
	writes := make(chan int, 1000)
	r.serve(countingListener{r.listen(), writes}, r.Server.Serve)
	r.fill("one\r\n", "two\r\n")
	c := r.login()
	for len(writes) > 0 {
		<-writes
	}
	batch, replies := "", ""
	for range 10 {
		batch += "C: STAT\nC: RETR 1\nC: UIDL 2\nC: RETR 9\n"
		replies += "S: +OK 2 10\nS: +OK 5 octets\nS: one\nS: .\nS: +OK 2 1.2\nS: -ERR No such message\n"
	}
	c.talk(batch + replies)
	if n := len(writes); n != 1 {
		t.Errorf("40 replies took %d writes, want 1", n)
	}
}

// TestHalfACommand does not hold back the replies to the whole ones before it.
func TestHalfACommand(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.send("STAT\r\nNO")
	c.talk("S: +OK 0 0")
	c.send("OP\r\n")
	c.talk("S: +OK")
}

func TestListenAndServe(t *testing.T) {
	s := &pop3.Server{Addr: "127.0.0.1:0"}
	stopped := make(chan error)
	go func() { stopped <- s.ListenAndServe() }()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-stopped; err != mailparts.ErrServerClosed {
		t.Errorf("ListenAndServe returned %v", err)
	}
	if err := (&pop3.Server{Addr: "256.0.0.1:110"}).ListenAndServe(); err == nil {
		t.Error("an address that is none is listened on")
	}
}
