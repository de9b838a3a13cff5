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
	t     testing.TB
	dns   *mailtest.DNS
	mu    sync.Mutex
	hosts map[string]*fake // by address
	dials []string
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

func (i *internet) relay() *smtp.Relay {
	return &smtp.Relay{Hostname: "client.example", Resolver: i.dns, Dialer: smtp.Dialer{NetDial: i.dial}}
}

// wait ends the hosts, whose scripts must be over.
func (i *internet) wait() {
	for _, f := range i.hosts {
		f.wait()
	}
}
