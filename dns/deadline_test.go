package dns_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
)

// A silent server costs its time, no more; the caller's context may cost less.
func TestDeadlines(t *testing.T) {
	silent := script(func(int, string, dnsmessage.Message) [][]byte { return nil })
	synctest.Test(t, func(t *testing.T) {
		c := silent.client(t)
		c.Servers = []string{"192.0.2.1", "192.0.2.2"}
		start := time.Now()
		if _, err := c.Lookup(t.Context(), "example.org", mailparts.TypeMX); err == nil || lasting(err) {
			t.Errorf("Lookup = %v", err)
		}
		if took := time.Since(start); took != 20*time.Second { // 2 servers, 2 attempts, 5 seconds
			t.Errorf("took %v", took)
		}

		c.Timeout, c.Attempts = time.Second, 3
		start = time.Now()
		c.Lookup(t.Context(), "example.org", mailparts.TypeMX)
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("took %v", took)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		start = time.Now()
		if _, err := c.Lookup(ctx, "example.org", mailparts.TypeMX); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lookup with a deadline = %v", err)
		}
		if took := time.Since(start); took != 2500*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := script(func(int, string, dnsmessage.Message) [][]byte { cancel(); return nil }).client(t)
		start := time.Now()
		if _, err := c.Lookup(ctx, "example.org", mailparts.TypeMX); !errors.Is(err, context.Canceled) {
			t.Errorf("Lookup = %v", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// On real sockets: one server whose port is closed, one that is silent, and none
// that answers.
func TestNoAnswer(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	c := &dns.Client{Servers: []string{closed.LocalAddr().String(), silent.LocalAddr().String()}, Timeout: 50 * time.Millisecond, Attempts: 1}
	_, err = c.Lookup(t.Context(), "example.org", mailparts.TypeMX)
	if netErr := net.Error(nil); !errors.As(err, &netErr) || !netErr.Timeout() || lasting(err) {
		t.Errorf("Lookup = %v", err)
	}
}
