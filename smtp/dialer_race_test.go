package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// slowNet is hosts that take their time to connect. What happens is noted with
// its time in milliseconds. It must run in a bubble.
type slowNet struct {
	*internet
	start  time.Time
	delays map[string]time.Duration // by address; not listed: for ever
	log    []string
}

func newSlowNet(t *testing.T, zone string, delays map[string]time.Duration) (*slowNet, *smtp.Relay) {
	s := &slowNet{internet: newInternet(t, zone), start: time.Now(), delays: delays}
	r := s.relay()
	r.Dialer.NetDial = s.dialSlowly
	return s, r
}

func (s *slowNet) note(what, addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf("%d %s %s", time.Since(s.start).Milliseconds(), what, addr))
}

// noted is the log in an order that does not depend on who is first at one time.
func (s *slowNet) noted() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sortedNotes(strings.Join(s.log, ", "))
}

func sortedNotes(log string) string {
	notes := strings.Split(log, ", ")
	slices.Sort(notes)
	return strings.Join(notes, ", ")
}

func (s *slowNet) dialSlowly(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(addr)
	s.note("try", host)
	delay, ok := s.delays[host]
	if !ok {
		delay = time.Hour
	}
	select {
	case <-time.After(delay):
		return s.dial(ctx, network, addr)
	case <-ctx.Done():
		s.note("give up", host)
		return nil, ctx.Err()
	}
}

func TestRelayHappyEyeballs(t *testing.T) {
	const (
		ms   = time.Millisecond
		zone = `
			example.com MX 1 mx.example.com
			mx.example.com A 192.0.2.1
			mx.example.com A 192.0.2.2
			mx.example.com AAAA 2001:db8::1
			mx.example.com AAAA 2001:db8::2
			mx.example.com AAAA 2001:db8::3`
	)
	ok := ready() + relayedTo
	for _, test := range []struct {
		name   string
		hosts  map[string]string
		delays map[string]time.Duration
		want   string
		log    string
	}{{
		name:   "IPv6 is there in time",
		hosts:  map[string]string{"2001:db8::1": ok},
		delays: map[string]time.Duration{"2001:db8::1": 249 * ms},
		want:   "ok", log: "0 try 2001:db8::1",
	}, {
		name:   "IPv6 does not work",
		hosts:  map[string]string{"192.0.2.1": ok},
		delays: map[string]time.Duration{"192.0.2.1": 10 * ms},
		want:   "ok", log: "0 try 2001:db8::1, 250 try 192.0.2.1, 260 give up 2001:db8::1",
	}, {
		name:   "IPv6 is slow, and faster all the same",
		hosts:  map[string]string{"2001:db8::1": ok},
		delays: map[string]time.Duration{"2001:db8::1": 300 * ms, "192.0.2.1": 100 * ms},
		want:   "ok", log: "0 try 2001:db8::1, 250 try 192.0.2.1, 300 give up 192.0.2.1",
	}, {
		name:   "a refusal leads to the next one at once",
		hosts:  map[string]string{"2001:db8::2": ok},
		delays: map[string]time.Duration{"2001:db8::1": 20 * ms, "192.0.2.1": 0, "2001:db8::2": 5 * ms},
		want:   "ok", log: "0 try 2001:db8::1, 20 try 192.0.2.1, 20 try 2001:db8::2",
	}, {
		name: "the families in turn, and half a minute for each",
		want: "451 4.4.1",
		log: "0 try 2001:db8::1, 250 try 192.0.2.1, 500 try 2001:db8::2, 750 try 192.0.2.2, 1000 try 2001:db8::3, " +
			"30000 give up 2001:db8::1, 30250 give up 192.0.2.1, 30500 give up 2001:db8::2, 30750 give up 192.0.2.2, 31000 give up 2001:db8::3",
	}, {
		name:   "one that was given up may serve after all",
		hosts:  map[string]string{"192.0.2.1": notNow, "2001:db8::1": ok},
		delays: map[string]time.Duration{"192.0.2.1": 0, "2001:db8::1": 255 * ms},
		want:   "ok", log: "0 try 2001:db8::1, 250 try 192.0.2.1, 250 give up 2001:db8::1, 250 try 2001:db8::1, 500 try 2001:db8::2, 505 give up 2001:db8::2",
	}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := newSlowNet(t, zone, test.delays)
				for addr, script := range test.hosts {
					s.host(addr, script)
				}
				err := r.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n"))
				synctest.Wait()
				if got := codes(err, 1); got != test.want {
					t.Errorf("got %v", err)
				}
				if got := s.noted(); got != sortedNotes(test.log) {
					t.Errorf("got\n%s\nwant\n%s", got, sortedNotes(test.log))
				}
				s.wait()
			})
		})
	}
}

// The end of the context ends the race, and no other host is tried.
func TestRelayCancelRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newSlowNet(t, "example.com MX 1 mx.example.com\nexample.com MX 2 mx2.example.com\nmx2.example.com A 192.0.2.9\n"+
			"mx.example.com A 192.0.2.1\nmx.example.com AAAA 2001:db8::1", nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.Deliver(ctx, letter("b@example.com"), text("hello\r\n"))
		synctest.Wait()
		if err == nil || !mailparts.AsError(err).Temporary() || time.Since(s.start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(s.start))
		}
		if got := s.noted(); got != sortedNotes("0 try 2001:db8::1, 250 try 192.0.2.1, 1000 give up 192.0.2.1, 1000 give up 2001:db8::1") {
			t.Errorf("got %s", got)
		}
	})
}

// A connection that comes after the race is closed, even by a NetDial that knows
// nothing of contexts.
func TestRelayLateConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInternet(t, "example.com MX 1 mx.example.com\nmx.example.com A 192.0.2.1\nmx.example.com AAAA 2001:db8::1")
		i.host("192.0.2.1", ready()+relayedTo)
		i.host("2001:db8::1", "C!")
		r := i.relay()
		r.Dialer.NetDial = func(_ context.Context, network, addr string) (net.Conn, error) {
			if strings.Contains(addr, "2001") {
				time.Sleep(time.Minute)
			}
			return i.dial(t.Context(), network, addr)
		}
		if err := r.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour) // of the bubble
		i.wait()
	})
}

// Mail leaves from the address that was asked for.
func TestDialerLocalAddrs(t *testing.T) {
	local := []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.7"), netip.MustParseAddr("127.0.0.8")}
	for listen, want := range map[string]string{"127.0.0.1:0": "127.0.0.7", "[::1]:0": "::1"} {
		l, err := net.Listen("tcp", listen)
		if err != nil {
			t.Logf("no %s here: %v", listen, err)
			continue
		}
		from := make(chan string, 1)
		s := &smtp.Server{Hostname: "mx.example.com", Receiver: mailparts.AsReceiver(discard),
			ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
				from <- nc.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String()
				return ctx
			}}
		done := make(chan error)
		go func() { done <- s.Serve(l) }()
		addr := l.Addr().(*net.TCPAddr).AddrPort()
		d := smtp.Dialer{Hostname: "client.example", LocalAddrs: local}
		relay := &smtp.Relay{Dialer: d, Port: int(addr.Port()), Resolver: mailtest.NewDNS("")}
		literal := "b@[" + addr.Addr().String() + "]"
		if addr.Addr().Is6() {
			literal = "b@[IPv6:" + addr.Addr().String() + "]"
		}
		for by, deliver := range map[string]func() error{
			"Dial": func() error {
				c, err := d.Dial(t.Context(), addr.String())
				if err == nil {
					c.Close()
				}
				return err
			},
			"Relay": func() error {
				return relay.Deliver(t.Context(), letter(mailparts.Address(literal)), text("Subject: hi\r\n\r\nhello\r\n"))
			},
		} {
			if err := deliver(); err != nil {
				t.Errorf("%s by %s: %v", listen, by, err)
			} else if got := <-from; got != want {
				t.Errorf("%s by %s came from %v, want %s", listen, by, got, want)
			}
		}
		relay.Close()
		s.Close()
		<-done
	}
}

// A name may have addresses of a family that has no local address, or of none.
func TestDialerLocalAddrsByName(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	d := smtp.Dialer{LocalAddrs: []netip.Addr{netip.MustParseAddr("127.0.0.7")}, DialTimeout: 10 * time.Second}
	var once sync.WaitGroup
	once.Go(func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		if host, _, _ := net.SplitHostPort(nc.RemoteAddr().String()); host != "127.0.0.7" {
			t.Errorf("from %s", host)
		}
	})
	if _, err := d.Dial(t.Context(), "localhost:"+port); codes(err, 1) != "451 4.4.2" { // connected, and no greeting
		t.Errorf("got %v", err)
	}
	once.Wait()
	l.Close()
	_, err = d.Dial(t.Context(), "localhost:"+port)
	if _, refused := errors.AsType[*net.OpError](err); !refused || codes(err, 1) != "451 4.4.1" {
		t.Errorf("got %v", err)
	}
}
