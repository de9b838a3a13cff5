package smtp_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

const (
	pooledMail = mailDialogue + `
		C: hello
		C: .
		S: 250 ok
`
	pooledQuit = "C: QUIT\nS: 221 bye\n"
)

// poolTest is messages to b@example.com, or to, one after the other.
type poolTest struct {
	name    string
	scripts []string // a connection each, in turn
	pool    smtp.Pool
	dialer  smtp.Dialer
	to      []mailparts.Address
	apart   bool     // a message to each of them in turn
	want    []string // codes, by message
}

func TestPool(t *testing.T) {
	tests := []*poolTest{{
		name:    "one connection for all",
		scripts: []string{ready() + pooledMail + pooledMail + pooledMail + pooledQuit},
		want:    []string{"ok", "ok", "ok"},
	}, {
		name: "RSET ends a transaction that was left open",
		scripts: []string{ready() + `
			C: MAIL ...
			S: 250 ok
			C: RCPT ...
			S: 550 5.1.1 no
			C: RSET
			S: 250 ok` + pooledMail + pooledQuit},
		want: []string{"550 5.1.1", "ok"},
	}, {
		name: "in one write with the next one",
		scripts: []string{ready("PIPELINING") + `
			C: MAIL ...
			C: RCPT ...
			C: DATA
			S: 452 4.3.1 full
			S: 503 5.5.1 no
			S: 503 5.5.1 no
			C: RSET
			C: MAIL ...
			C: RCPT ...
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 354 go
			C: hello
			C: .
			S: 250 ok
			` + pooledQuit},
		want: []string{"452 4.3.1", "ok"},
	}, {
		name: "a server that cannot RSET gets a new connection",
		scripts: []string{
			ready() + "C: MAIL ...\nS: 452 4.3.1 full\nC: RSET\nS: 500 what?\nC!",
			ready() + pooledMail + pooledQuit,
		},
		want: []string{"452 4.3.1", "ok"},
	}, {
		name:    "a new connection where the idle one is gone",
		scripts: []string{ready() + pooledMail, ready() + pooledMail + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "where it goes in the envelope",
		scripts: []string{ready() + pooledMail + "C: MAIL ...\nS: 250 ok\nC: RCPT ...", ready() + pooledMail + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "where it goes at DATA",
		scripts: []string{ready() + pooledMail + "C: MAIL ...\nS: 250 ok\nC: RCPT ...\nS: 250 ok\nC: DATA", ready() + pooledMail + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "where the server ends it with 421",
		scripts: []string{ready() + pooledMail + "C: MAIL ...\nS: 421 4.7.0 enough\nC!", ready() + pooledMail + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "where the server had said 421 before",
		scripts: []string{ready() + pooledMail + "S: 421 4.4.2 idle", ready() + pooledMail + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "no message goes twice",
		scripts: []string{ready() + pooledMail + mailDialogue + "C: hello\nC: ."},
		want:    []string{"ok", "451 4.4.2"},
	}, {
		name:    "a new connection is replaced by none",
		scripts: []string{ready() + "C: MAIL ..."},
		want:    []string{"451 4.4.2"},
	}, {
		name:    "nor is a second one",
		scripts: []string{ready() + pooledMail, ready() + "C: MAIL ..."},
		want:    []string{"ok", "451 4.4.2"},
	}, {
		name:    "MaxMessages",
		pool:    smtp.Pool{MaxMessages: 2},
		scripts: []string{ready() + pooledMail + pooledMail + pooledQuit, ready() + pooledMail + pooledQuit},
		want:    []string{"ok", "ok", "ok"},
	}, {
		name:    "the server's MAILMAX (RFC 9422)",
		scripts: []string{ready("LIMITS RCPTMAX=5 MAILMAX=2") + pooledMail + pooledMail + pooledQuit, ready("LIMITS MAILMAX=20") + pooledMail + pooledQuit},
		want:    []string{"ok", "ok", "ok"},
	}, {
		name:    "the server's RCPTDOMAINMAX: a new connection for one more domain",
		to:      []mailparts.Address{"b@example.com", "c@example.net"},
		apart:   true,
		scripts: []string{ready("LIMITS RCPTDOMAINMAX=1") + pooledMail + pooledQuit, ready("LIMITS RCPTDOMAINMAX=1") + policyMail("c@example.net") + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "a MAILMAX that is none (RFC 9422 section 3.7)",
		scripts: []string{ready("LIMITS MAILMAX=one") + pooledMail + pooledMail + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "no IdleTimeout, no reuse",
		pool:    smtp.Pool{IdleTimeout: -1},
		scripts: []string{ready() + pooledMail + pooledQuit, ready() + pooledMail + pooledQuit},
		want:    []string{"ok", "ok"},
	}, {
		name:    "a refusal of us is temporary",
		scripts: []string{"S: 554 5.7.1 who are you\nC!"},
		want:    []string{"451 4.3.5"},
	}, {
		name:    "STARTTLS and AUTH once",
		scripts: []string{ready("STARTTLS") + "C: STARTTLS\nS: 220 go\nT:\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN ...\nS: 235 ok\n" + pooledMail + pooledMail + pooledQuit},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory, TLSConfig: &tls.Config{RootCAs: testCA()}, Auth: smtp.PasswordAuth("me", "secret")},
		want:    []string{"ok", "ok"},
	}, {
		name: "LMTP answers for each recipient",
		to:   []mailparts.Address{"b@example.com", "c@example.com"},
		scripts: []string{strings.Replace(ready(), "EHLO", "LHLO", 1) + strings.Repeat(`
			C: MAIL ...
			S: 250 ok
			C: RCPT TO:<b@example.com>
			S: 250 ok
			C: RCPT TO:<c@example.com>
			S: 250 ok
			C: DATA
			S: 354 go
			C: hello
			C: .
			S: 250 ok
			S: 552 5.2.2 full
			`, 2) + pooledQuit},
		dialer: smtp.Dialer{LMTP: true},
		want:   []string{"ok, 552 5.2.2", "ok, 552 5.2.2"},
	}}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func (test *poolTest) run(t *testing.T) {
	f := newFake(t, test.scripts...)
	d := test.dialer
	d.Hostname, d.NetDial = "client.example", f.dial
	if test.to == nil {
		test.to = []mailparts.Address{"b@example.com"}
	}
	for n, want := range test.want {
		to := test.to
		if test.apart {
			to = to[n : n+1]
		}
		err := test.pool.Deliver(t.Context(), &d, fakeAddr, letter(to...), text("hello\r\n"))
		if got := codes(err, len(to)); got != want {
			t.Errorf("message %d: got %s, want %s (%v)", n+1, got, want, err)
		}
	}
	test.pool.Close()
	f.wait()
}

// What a Pool's connections differ in is not mixed up.
func TestPoolKeys(t *testing.T) {
	f := newFake(t, ready()+pooledMail+pooledMail+pooledQuit, ready()+pooledMail+pooledQuit, ready()+pooledMail+pooledQuit,
		ready("AUTH PLAIN")+"C: AUTH PLAIN ...\nS: 235 ok\n"+pooledMail+pooledQuit)
	var pool smtp.Pool
	deliver := func(addr string, change func(*smtp.Dialer)) {
		t.Helper()
		d := f.dialer()
		change(d)
		if err := pool.Deliver(t.Context(), d, addr, letter("b@example.com"), text("hello\r\n")); err != nil {
			t.Error(err)
		}
	}
	same := func(*smtp.Dialer) {}
	deliver(fakeAddr, same)
	deliver("mx.example.com:26", same)
	deliver(fakeAddr, func(d *smtp.Dialer) { d.TLSConfig = new(tls.Config) })
	deliver(fakeAddr, func(d *smtp.Dialer) { d.Auth = smtp.PasswordAuth("me", "secret") })
	deliver(fakeAddr, same)
	pool.Close()
	f.wait()
}

// An idle connection says goodbye by itself: a Pool need not be closed.
func TestPoolIdleTimeout(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{0: 5 * time.Second, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, ready()+pooledMail+"W: 2s\n"+pooledMail+pooledQuit)
			pool := smtp.Pool{IdleTimeout: set}
			for range 2 {
				if err := pool.Deliver(t.Context(), f.dialer(), fakeAddr, letter("b@example.com"), text("hello\r\n")); err != nil {
					t.Error(err)
				}
			}
			start := time.Now()
			f.wait()
			if got := time.Since(start); got != want {
				t.Errorf("idle for %v, want %v", got, want)
			}
		})
	}
}

// nested is a message during whose first read other mail is sent.
func nested(other func()) io.Reader {
	return io.MultiReader(readerFunc(func([]byte) (int, error) { other(); return 0, io.EOF }), strings.NewReader("hello\r\n"))
}

// poolLimit delivers to two hosts at once, and returns how long each connection
// was idle. It must run in a bubble. The first one is idle first.
func poolLimit(t *testing.T, pool *smtp.Pool, first, second string) (idle [2]time.Duration) {
	t.Helper()
	script := ready() + pooledMail + pooledQuit
	fakes := [2]*fake{newFake(t, script), newFake(t, script)}
	deliver := func(n int, addr string, msg io.Reader) {
		if err := pool.Deliver(t.Context(), fakes[n].dialer(), addr, letter("b@example.com"), msg); err != nil {
			t.Error(err)
		}
	}
	start := time.Now()
	deliver(1, second, nested(func() { deliver(0, first, text("hello\r\n")) }))
	var wait sync.WaitGroup
	for n, f := range fakes {
		wait.Go(func() {
			f.wait()
			idle[n] = time.Since(start)
		})
	}
	wait.Wait()
	return idle
}

func TestPoolLimits(t *testing.T) {
	const a, b, never, full = "a.example:25", "b.example:25", 0, 5 * time.Second
	for _, test := range []struct {
		name          string
		pool          *smtp.Pool
		first, second string
		want          [2]time.Duration
	}{
		{"neither reached", &smtp.Pool{}, a, a, [2]time.Duration{full, full}},
		{"one to each host: the later one goes", &smtp.Pool{MaxIdlePerHost: 1}, a, a, [2]time.Duration{full, never}},
		{"one to each of two hosts", &smtp.Pool{MaxIdlePerHost: 1}, a, b, [2]time.Duration{full, full}},
		{"one in all: the longest idle goes", &smtp.Pool{MaxIdle: 1}, a, b, [2]time.Duration{never, full}},
		{"no limit", &smtp.Pool{MaxIdle: -1, MaxIdlePerHost: -1}, a, a, [2]time.Duration{full, full}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := poolLimit(t, test.pool, test.first, test.second); got != test.want {
					t.Errorf("idle for %v, want %v", got, test.want)
				}
			})
		})
	}
}

// After Close mail still goes, a connection each.
func TestPoolClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, ready()+pooledMail+pooledQuit, ready()+pooledMail+pooledQuit)
		var pool smtp.Pool
		start := time.Now()
		for range 2 {
			if err := pool.Deliver(t.Context(), f.dialer(), fakeAddr, letter("b@example.com"), text("hello\r\n")); err != nil {
				t.Error(err)
			}
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		}
		f.wait()
		if took := time.Since(start); took > 0 {
			t.Errorf("a connection was idle for %v", took)
		}
	})
}

// A server that does not answer QUIT holds nobody up for long.
func TestPoolCloseStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := silent(t, ready()+pooledMail)
		var pool smtp.Pool
		if err := pool.Deliver(t.Context(), d, fakeAddr, letter("b@example.com"), text("hello\r\n")); err != nil {
			t.Error(err)
		}
		start := time.Now()
		pool.Close()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The end of the context is no reason to try another connection.
func TestPoolCancel(t *testing.T) {
	f := newFake(t, ready()+pooledMail+"C: MAIL ...\nC!")
	var pool smtp.Pool
	d := f.dialer()
	if err := pool.Deliver(t.Context(), d, fakeAddr, letter("b@example.com"), text("hello\r\n")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	err := pool.Deliver(ctx, d, fakeAddr, letter("b@example.com"), text("hello\r\n"))
	if err == nil || !mailparts.AsError(err).Temporary() {
		t.Errorf("got %v", err)
	}
	f.wait()
}

// Many at once, to a real server: every message arrives once, over no more
// connections than there are senders.
func TestPoolManySenders(t *testing.T) {
	const senders, each = 8, 50
	var messages, conns atomic.Int32
	l := mailtest.NewListener()
	s := &smtp.Server{Hostname: "mx.example.com", Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
		func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
			messages.Add(1)
			return discard(ctx, env, msg)
		}))}
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	d := &smtp.Dialer{Hostname: "client.example", NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conns.Add(1)
		return l.Dial(ctx, network, addr)
	}}
	pool := smtp.Pool{MaxMessages: -1}
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for range each {
				if err := pool.Deliver(t.Context(), d, fakeAddr, letter("b@example.com"), text("Subject: hi\r\n\r\nhello\r\n")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	pool.Close()
	s.Close()
	<-done
	if messages.Load() != senders*each || conns.Load() > senders {
		t.Errorf("%d messages over %d connections", messages.Load(), conns.Load())
	}
}

// A message that panics leaves no connection behind.
func TestPoolPanic(t *testing.T) {
	f := newFake(t, ready()+"C!")
	var p smtp.Pool
	defer p.Close()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		p.Deliver(t.Context(), f.dialer(), fakeAddr, letter("b@example.com"), panicSeeker{})
	}()
	f.wait() // for the connection's end
}

type panicSeeker struct{ io.Reader }

func (panicSeeker) Seek(int64, int) (int64, error) { panic("oops") }
