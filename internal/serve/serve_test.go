package serve_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
	"github.com/mailparts/mailparts/mailtest"
)

// run serves handle until the test ends.
func run(t *testing.T, e *serve.Engine, cfg serve.Config) *mailtest.Listener {
	t.Helper()
	cfg.Protocol = "test"
	cfg.Busy = "busy\r\n"
	if cfg.Logger == nil {
		cfg.Logger = serve.Logger(nil)
	}
	l := mailtest.NewListener()
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := e.Serve(l, cfg); err != mailparts.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() {
		e.Close()
		serving.Wait()
	})
	return l
}

func dial(t *testing.T, l *mailtest.Listener) net.Conn {
	t.Helper()
	c, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echo says back what it reads, and goodbye to a shutdown.
func echo(_ context.Context, c *serve.Conn) {
	p := make([]byte, 100)
	for {
		c.Idle(true)
		n, err := c.Read(p)
		c.Idle(false)
		if err == serve.ErrShutdown {
			io.WriteString(c, "goodbye")
		}
		if err != nil {
			return
		}
		c.Write(p[:n])
	}
}

func read(t *testing.T, c net.Conn, want string) {
	t.Helper()
	p := make([]byte, len(want))
	if _, err := io.ReadFull(c, p); string(p) != want || err != nil {
		t.Fatalf("read %q, %v, want %q", p, err, want)
	}
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		release := make(chan struct{})
		l := run(t, &e, serve.Config{Handle: func(ctx context.Context, c *serve.Conn) {
			p := make([]byte, 4)
			c.Read(p)
			if string(p) == "busy" {
				<-release
				if !c.ShuttingDown() {
					t.Error("not ShuttingDown")
				}
				io.WriteString(c, "done")
			}
			echo(ctx, c)
		}})
		idle, busy := dial(t, l), dial(t, l)
		io.WriteString(idle, "idle")
		io.WriteString(busy, "busy")
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- e.Shutdown(t.Context()) }()
		read(t, idle, "goodbye")
		if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("then %v, want EOF", err)
		}
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("Shutdown did not wait for a busy connection")
		}
		close(release)
		read(t, busy, "donegoodbye")
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Shutdown(t.Context()); err != nil { // again
			t.Error(err)
		}
	})
}

func TestShutdownForcesAtTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		ended := false
		l := run(t, &e, serve.Config{Handle: func(ctx context.Context, c *serve.Conn) {
			<-ctx.Done()
			ended = true
		}})
		c := dial(t, l)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := e.Shutdown(ctx); err != context.DeadlineExceeded || !ended {
			t.Errorf("Shutdown: %v, ended %v", err, ended)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("then %v, want EOF", err)
		}
	})
}

// Close must not wait for the goodbye that TLS has for each of many stalled peers.
func TestCloseWaitsForNoPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		l := run(t, &e, serve.Config{Handle: func(_ context.Context, c *serve.Conn) {
			for {
				if _, err := c.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		}})
		for range 10 {
			dial(t, l)
		}
		synctest.Wait()
		start := time.Now()
		e.Close()
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v", took)
		}
	})
}

func TestServeAfterClose(t *testing.T) {
	var e serve.Engine
	e.Close()
	l := mailtest.NewListener()
	if err := e.Serve(l, serve.Config{}); err != mailparts.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
	if _, err := l.Dial(t.Context(), "", ""); err == nil {
		t.Error("the listener is open")
	}
}

func TestLimits(t *testing.T) {
	var e serve.Engine
	l := run(t, &e, serve.Config{MaxConns: 1, Handle: echo})
	first := dial(t, l)
	io.WriteString(first, "a")
	read(t, first, "a")
	second := dial(t, l)
	read(t, second, "busy\r\n")
	if _, err := second.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("then %v, want EOF", err)
	}
	first.Close()
	for { // its place is free once the server has seen it
		next := dial(t, l)
		io.WriteString(next, "a")
		p := make([]byte, 1)
		if _, err := next.Read(p); err != nil {
			t.Fatal(err)
		}
		if p[0] == 'a' {
			break
		}
	}
}

func TestPanicIsLoggedAndEndsTheConnectionOnly(t *testing.T) {
	var log lockedBuilder
	var e serve.Engine
	l := run(t, &e, serve.Config{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Handle: func(context.Context, *serve.Conn) { panic("oops") },
	})
	for range 2 {
		if _, err := dial(t, l).Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v, want EOF", err)
		}
	}
	if got := log.String(); !strings.Contains(got, "oops") || !strings.Contains(got, "serve_test.go") {
		t.Errorf("log: %s", got)
	}
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// flaky fails to accept, for lack of file descriptors, a few times.
type flaky struct {
	net.Listener
	failures int
}

type tooManyFiles struct{ error }

func (tooManyFiles) Temporary() bool { return true }

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, tooManyFiles{errors.New("too many open files")}
	}
	return f.Listener.Accept()
}

func TestAcceptTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		l := mailtest.NewListener()
		done := make(chan error, 1)
		go func() { done <- e.Serve(&flaky{l, 20}, serve.Config{Logger: serve.Logger(nil), Handle: echo}) }()
		c := dial(t, l)
		io.WriteString(c, "a")
		read(t, c, "a")
		l.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve on a listener that someone else closed: %v", err)
		}
		c.Close()
	})
}

func TestListen(t *testing.T) {
	addr := "unix:" + t.TempDir() + "/socket"
	l, err := serve.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := serve.Listen(addr); err == nil {
		t.Error("took the socket of a server that runs")
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close() // as after a crash: the file is there
	l, err = serve.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := serve.Listen("unix:" + file); err == nil {
		t.Error("took the place of a file that is no socket")
	}
	if p, _ := os.ReadFile(file); string(p) != "precious" {
		t.Error("the file is gone")
	}
}

func TestLimit(t *testing.T) {
	for v, want := range map[int]int{0: 7, 3: 3, -1: 0} {
		if got := serve.Limit(v, 7); got != want {
			t.Errorf("Limit(%d) is %d, want %d", v, got, want)
		}
	}
}
