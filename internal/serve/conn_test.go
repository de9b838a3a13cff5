package serve_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/internal/serve"
)

func TestDeadlines(t *testing.T) {
	// trickle writes an octet each minute.
	trickle := func(c net.Conn) {
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(time.Minute)
		}
	}
	for _, test := range []struct {
		name string
		set  func(*serve.Conn)
		want time.Duration // 0: none within a day
	}{
		{"Within", func(c *serve.Conn) { c.Within(150 * time.Second) }, 150 * time.Second},
		{"Within without limit", func(c *serve.Conn) { c.Within(0) }, 0},
		// Of the waiting time, the first octet takes none.
		{"Rolling", func(c *serve.Conn) { c.Rolling(150 * time.Second) }, 150 * time.Second},
		{"Rolling without limit", func(c *serve.Conn) { c.Rolling(0) }, 0},
		{"the last one counts", func(c *serve.Conn) { c.Within(time.Second); c.Rolling(150 * time.Second) }, 150 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e serve.Engine
				ended := make(chan time.Time, 1)
				l := run(t, &e, serve.Config{Handle: func(_ context.Context, c *serve.Conn) {
					test.set(c)
					for {
						if _, err := c.Read(make([]byte, 10)); err != nil {
							if test.want != 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
								t.Errorf("Read: %v", err)
							}
							ended <- time.Now()
							return
						}
					}
				}})
				start := time.Now()
				c := dial(t, l)
				var trickling sync.WaitGroup
				trickling.Go(func() { trickle(c) })
				if test.want == 0 {
					time.Sleep(24 * time.Hour)
					if len(ended) != 0 {
						t.Errorf("ended after %v", (<-ended).Sub(start))
					}
					c.Close()
				} else if took := (<-ended).Sub(start); took != test.want {
					t.Errorf("ended after %v, want %v", took, test.want)
				}
				trickling.Wait()
			})
		})
	}
}

// Each 32 KB have the time anew, and what the reader itself takes does not count.
func TestRollingIsPerBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		total := make(chan int, 1)
		l := run(t, &e, serve.Config{Handle: func(_ context.Context, c *serve.Conn) {
			c.Rolling(time.Minute)
			n := 0
			p := make([]byte, 32<<10)
			for {
				m, err := c.Read(p)
				n += m
				if err != nil {
					total <- n
					return
				}
				time.Sleep(time.Hour)
			}
		}})
		c := dial(t, l)
		for range 20 {
			time.Sleep(50 * time.Second)
			c.Write(make([]byte, 32<<10))
		}
		c.Close()
		if n := <-total; n != 20*32<<10 {
			t.Errorf("read %d octets", n)
		}
	})
}

func TestHandshakeHasATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e serve.Engine
		l := run(t, &e, serve.Config{
			TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }},
			Handle:    func(context.Context, *serve.Conn) { t.Error("Handle without TLS") },
		})
		start := time.Now()
		if _, err := dial(t, l).Read(make([]byte, 1)); err != io.EOF || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		// A peer that does not speak TLS gets no plaintext.
		c := dial(t, l)
		io.WriteString(c, "EHLO client.example.org\r\n")
		if p, _ := io.ReadAll(c); len(p) > 7 {
			t.Errorf("got %q", p)
		}
	})
}
