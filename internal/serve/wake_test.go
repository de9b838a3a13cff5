package serve_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/internal/serve"
)

// wakeable runs a session that reads in a loop, and returns its connection, the client's
// end and what each Read gives.
func wakeable(t *testing.T, cfg serve.Config) (c *serve.Conn, client net.Conn, reads <-chan any) {
	t.Helper()
	conns, results := make(chan *serve.Conn, 1), make(chan any, 100)
	cfg.Handle = func(_ context.Context, c *serve.Conn) {
		c.Within(time.Hour)
		c.Wakeable(true)
		c.Idle(true)
		conns <- c
		p := make([]byte, 100)
		for {
			n, err := c.Read(p)
			if n > 0 {
				results <- string(p[:n])
			}
			if err != nil {
				results <- err
				if err != serve.ErrWake {
					return
				}
			}
		}
	}
	var e serve.Engine
	client = dial(t, run(t, &e, cfg))
	if cfg.TLSConfig != nil {
		client = tls.Client(client, &tls.Config{InsecureSkipVerify: true})
		io.WriteString(client, "x")
		if got := <-results; got != "x" {
			t.Fatalf("read %v", got)
		}
	}
	return <-conns, client, results
}

func TestWake(t *testing.T) {
	for name, cfg := range map[string]serve.Config{"plaintext": {}, "TLS": {TLSConfig: testTLS(t)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, client, reads := wakeable(t, cfg)
				for range 3 {
					c.Wake()
					if got := <-reads; got != serve.ErrWake {
						t.Fatalf("Read: %v", got)
					}
					io.WriteString(client, "hello")
					if got := <-reads; got != "hello" {
						t.Fatalf("after Wake: %v", got)
					}
				}
				synctest.Wait()
				if len(reads) != 0 {
					t.Errorf("and then %v", <-reads)
				}
				client.Close()
			})
		})
	}
}

// Nobody who has not asked for it is woken, and a wake-up that comes late is none.
func TestWakeOnlyWhoAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, client, reads := wakeable(t, serve.Config{})
		synctest.Wait()
		c.Wakeable(false)
		c.Wake()
		io.WriteString(client, "a")
		if got := <-reads; got != "a" {
			t.Errorf("Read: %v", got)
		}
		client.Close()
		if got := <-reads; got != io.EOF {
			t.Errorf("Read: %v", got)
		}
	})
}

// Wakers from many goroutines, with octets between: all octets come.
func TestWakeLosesNothing(t *testing.T) {
	c, client, reads := wakeable(t, serve.Config{})
	var wakers sync.WaitGroup
	for range 4 {
		wakers.Go(func() {
			for range 100 {
				c.Wake()
			}
		})
	}
	wakers.Go(func() {
		for range 100 {
			io.WriteString(client, "x")
		}
		client.Close()
	})
	got := 0
	for r := range reads {
		if text, ok := r.(string); ok {
			got += len(text)
		} else if r != serve.ErrWake {
			break
		}
	}
	wakers.Wait()
	if got != 100 {
		t.Errorf("read %d octets of 100", got)
	}
}
