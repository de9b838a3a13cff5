package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

func testTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// hangUp ends a session as soon as the peer talks.
func hangUp(_ context.Context, c *serve.Conn) {
	c.Read(make([]byte, 1))
	io.WriteString(c, "421 goodbye")
	c.Linger()
}

// A peer that reads only when it has sent all, over a real socket, hears why the
// server has hung up: without Linger it gets a reset.
func TestLastWordsReachAPeerThatSends(t *testing.T) {
	for name, cfg := range map[string]serve.Config{
		"plaintext": {Handle: hangUp},
		"TLS":       {Handle: hangUp, TLSConfig: testTLS(t)},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var e serve.Engine
			cfg.Logger = serve.Logger(nil)
			var serving sync.WaitGroup
			serving.Go(func() {
				if err := e.Serve(l, cfg); err != mailparts.ErrServerClosed {
					t.Errorf("Serve: %v", err)
				}
			})
			defer serving.Wait()
			defer e.Close()
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if cfg.TLSConfig != nil {
				c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			for range 128 {
				if _, err := c.Write(make([]byte, 64<<10)); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := io.ReadAll(c); string(got) != "421 goodbye" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// lingering is a connection whose server says goodbye, and a channel that tells
// when it is over.
func lingering(t *testing.T, e *serve.Engine) (c net.Conn, over <-chan time.Time) {
	t.Helper()
	ended := make(chan time.Time, 1)
	l := run(t, e, serve.Config{Handle: func(ctx context.Context, c *serve.Conn) {
		hangUp(ctx, c)
		ended <- time.Now()
	}})
	c = dial(t, l)
	io.WriteString(c, "x")
	if got, err := io.ReadAll(c); string(got) != "421 goodbye" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	return c, ended
}

func TestLingerHasBounds(t *testing.T) {
	t.Run("silence", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, over := lingering(t, new(serve.Engine))
			if took := (<-over).Sub(start); took != 2*time.Second {
				t.Errorf("lingers %v", took)
			}
		})
	})
	t.Run("trickle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			c, over := lingering(t, new(serve.Engine))
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if took := (<-over).Sub(start); took != 2*time.Second {
				t.Errorf("lingers %v", took)
			}
		})
	})
	t.Run("flood", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, over := lingering(t, new(serve.Engine))
			start, sent := time.Now(), 0
			for {
				n, err := c.Write(make([]byte, 64<<10))
				if sent += n; err != nil {
					break
				}
			}
			if took := (<-over).Sub(start); took != 0 || sent < 16<<20 || sent > 17<<20 {
				t.Errorf("took %d octets in %v", sent, took)
			}
		})
	})
	t.Run("end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			c, over := lingering(t, new(serve.Engine))
			c.Close()
			if took := (<-over).Sub(start); took != 0 {
				t.Errorf("lingers %v with nobody", took)
			}
		})
	})
}

// Nobody waits for a connection that lingers, nor does one linger when it is late.
func TestLingerEndsWithTheServer(t *testing.T) {
	for name, end := range map[string]func(*serve.Engine) error{
		"Shutdown": func(e *serve.Engine) error { return e.Shutdown(context.Background()) },
		"Close":    (*serve.Engine).Close,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e serve.Engine
				_, over := lingering(t, &e)
				synctest.Wait()
				start := time.Now()
				if err := end(&e); err != nil || time.Since(start) != 0 {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				<-over
			})
		})
	}
	t.Run("late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var e serve.Engine
			release := make(chan struct{})
			l := run(t, &e, serve.Config{Handle: func(_ context.Context, c *serve.Conn) {
				<-release
				c.Linger()
			}})
			dial(t, l)
			synctest.Wait()
			done := make(chan error)
			go func() { done <- e.Shutdown(t.Context()) }()
			synctest.Wait()
			start := time.Now()
			close(release)
			if err := <-done; err != nil || time.Since(start) != 0 {
				t.Errorf("Shutdown: %v after %v", err, time.Since(start))
			}
		})
	})
}

func TestPause(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(e *serve.Engine) // after a second
		want time.Duration
	}{
		{"to its end", func(*serve.Engine) {}, time.Minute},
		{"Shutdown", func(e *serve.Engine) { e.Shutdown(context.Background()) }, time.Second},
		{"Shutdown twice", func(e *serve.Engine) {
			go e.Shutdown(context.Background())
			e.Shutdown(context.Background())
		}, time.Second},
		{"Close", func(e *serve.Engine) { e.Close() }, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e serve.Engine
				took := make(chan time.Duration, 2)
				l := run(t, &e, serve.Config{Handle: func(ctx context.Context, c *serve.Conn) {
					for range 2 {
						start := time.Now()
						c.Pause(ctx, time.Minute)
						took <- time.Since(start)
					}
				}})
				dial(t, l)
				time.Sleep(time.Second)
				test.end(&e)
				if got := <-took; got != test.want {
					t.Errorf("paused %v, want %v", got, test.want)
				}
				if got := <-took; got != 0 && test.want != time.Minute {
					t.Errorf("paused %v again", got)
				}
			})
		})
	}
}

// The peer has its time all the same.
func TestPauseDoesNotCountInWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		took := make(chan time.Duration, 1)
		l := run(t, &e, serve.Config{Handle: func(ctx context.Context, c *serve.Conn) {
			start := time.Now()
			c.Within(time.Minute)
			c.Pause(ctx, time.Hour)
			c.Read(make([]byte, 1))
			took <- time.Since(start)
		}})
		dial(t, l)
		if got := <-took; got != time.Hour+time.Minute {
			t.Errorf("timed out after %v", got)
		}
	})
}
