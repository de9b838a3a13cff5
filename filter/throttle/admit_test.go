package throttle_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/throttle"
)

// conn is a Peer as smtp.Server.Admit sees it in the course of a connection.
type conn struct{ mailparts.Peer }

func from(addr string) *conn {
	return &conn{mailparts.Peer{Addr: netip.MustParseAddrPort(addr), Local: netip.MustParseAddrPort("198.51.100.1:25")}}
}

func (c *conn) ehlo() *conn            { c.Hello = "client.example.org"; return c }
func (c *conn) auth(user string) *conn { c.User = user; return c }
func (c *conn) secure() *conn          { c.TLS = new(tls.ConnectionState); return c }
func (c *conn) startTLS() *conn        { c.Hello = ""; return c.secure() }
func (c *conn) xclient(addr string) *conn {
	c.Addr, c.Hello = netip.MustParseAddrPort(addr), ""
	return c
}

func admit(l *throttle.Limiter, c *conn) error {
	p := c.Peer
	return l.Admit(context.Background(), &p)
}

// count is how many connections of one address l counted, if it allows 20.
func count(l *throttle.Limiter, addr string) int {
	return 20 - taken(l, throttle.Key{Net: netip.MustParsePrefix(addr)})
}

func TestAdmitCountsConnections(t *testing.T) {
	const addr = "192.0.2.7/32"
	for _, test := range []struct {
		name string
		run  func(admit func(*conn))
		want int
	}{
		{"one", func(admit func(*conn)) {
			c := from("192.0.2.7:1")
			admit(c)
			admit(c.ehlo())
			admit(c.startTLS())
			admit(c.ehlo())
			admit(c.auth("alice"))
		}, 1},
		{"one with TLS from the start", func(admit func(*conn)) {
			c := from("192.0.2.7:1").secure()
			admit(c)
			admit(c.ehlo())
			admit(c.ehlo())
		}, 1},
		{"two, mixed", func(admit func(*conn)) {
			one, two := from("192.0.2.7:1"), from("192.0.2.7:2")
			admit(one)
			admit(two)
			admit(one.ehlo())
			admit(two.ehlo())
			admit(two.startTLS())
			admit(one.startTLS())
		}, 2},
		{"one port, again and again", func(admit func(*conn)) {
			for range 3 {
				admit(from("192.0.2.7:1"))
				admit(from("192.0.2.7:1").ehlo())
			}
		}, 3},
		{"one port, again and again, with TLS from the start", func(admit func(*conn)) {
			for range 3 {
				admit(from("192.0.2.7:1").secure())
				admit(from("192.0.2.7:1").secure().ehlo())
			}
		}, 3},
		{"clients of a proxy", func(admit func(*conn)) {
			c := from("203.0.113.1:1")
			admit(c)
			admit(c.ehlo())
			admit(c.xclient("192.0.2.7:1"))
			admit(c.ehlo())
			admit(c.xclient("192.0.2.7:2").ehlo()) // HELO= of XCLIENT
			admit(c.ehlo())
		}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &throttle.Limiter{Events: 20, Per: time.Minute}
				test.run(func(c *conn) {
					if err := admit(l, c); err != nil {
						t.Errorf("refused: %v", err)
					}
				})
				if got := count(l, addr); got != test.want {
					t.Errorf("%d connections, want %d", got, test.want)
				}
			})
		})
	}
}

func TestAdmitRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &throttle.Limiter{Events: 2, Per: time.Minute, By: throttle.Network}
		for i, c := range []*conn{from("192.0.2.7:1"), from("192.0.2.8:1"), from("192.0.2.9:1"), from("198.51.100.1:1")} {
			err := admit(l, c)
			if refused := i == 2; (err != nil) != refused {
				t.Errorf("connection %d: %v", i, err)
			}
			if e, ok := errors.AsType[*mailparts.Error](err); err != nil && (!ok || e.Code != 421 || e.Status != "4.7.0") {
				t.Errorf("connection %d: %v", i, err)
			}
		}
		trusted := from("192.0.2.9:1")
		trusted.Trusted = true
		if err := admit(l, trusted); err != nil {
			t.Errorf("trusted: %v", err)
		}
		time.Sleep(30 * time.Second)
		if err := admit(l, from("192.0.2.9:2")); err != nil {
			t.Errorf("later: %v", err)
		}
	})
}
