package smtp_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// internet is a DNS and what listens at its addresses, on one port.
type internet struct {
	t      testing.TB
	dns    *mailtest.DNS
	mu     sync.Mutex
	hosts  map[string]*fake // by address
	dials  []string
	relays []*smtp.Relay
}

func newInternet(t testing.TB, zone string) *internet {
	return &internet{t: t, dns: mailtest.NewDNS(zone), hosts: map[string]*fake{}}
}

// host lets scripts answer at addr. Where there is no host, connections are
// refused.
func (i *internet) host(addr string, scripts ...string) {
	i.hosts[addr] = newFake(i.t, scripts...)
}

func (i *internet) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	host, port, _ := net.SplitHostPort(addr)
	if port != "25" {
		host = addr
	}
	i.dials = append(i.dials, host)
	if f := i.hosts[host]; f != nil {
		return f.dial(ctx, network, addr)
	}
	return nil, errors.New("connection refused")
}

// relay returns a Relay that wait closes.
func (i *internet) relay() *smtp.Relay {
	r := &smtp.Relay{Hostname: "client.example", Resolver: i.dns, Dialer: smtp.Dialer{NetDial: i.dial}}
	i.relays = append(i.relays, r)
	return r
}

// wait ends the hosts, whose scripts must be over with the Relay's QUIT.
func (i *internet) wait() {
	for _, r := range i.relays {
		r.Close()
	}
	for _, f := range i.hosts {
		f.wait()
	}
}
