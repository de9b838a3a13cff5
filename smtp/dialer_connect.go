package smtp

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/mailparts/mailparts/internal/serve"
)

// connect connects once.
func (d *Dialer) connect(ctx context.Context, a clientAddr) (net.Conn, error) {
	if t := serve.Limit(d.DialTimeout, 30*time.Second); t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t)
		defer cancel()
	}
	switch {
	case d.NetDial != nil:
		return d.NetDial(ctx, a.network, a.addr)
	case d.LMTP && a.network == "tcp" && isSMTPPort(a.addr):
		return nil, errLMTPPort
	case a.network == "tcp" && len(d.LocalAddrs) > 0:
		return d.connectFrom(ctx, a.addr)
	}
	return new(net.Dialer).DialContext(ctx, a.network, a.addr)
}

// connectFrom connects from LocalAddrs. A net.Dialer has one local address only,
// and leaves out the far side's addresses of the other family.
func (d *Dialer) connectFrom(ctx context.Context, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", cmp.Or(host, "localhost"))
	if err != nil {
		return nil, err
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	end := race(ctx, eyeballs(addrs), func(ctx context.Context, to netip.Addr) (net.Conn, error) {
		nd := net.Dialer{LocalAddr: d.localAddr(to)}
		return nd.DialContext(ctx, "tcp", net.JoinHostPort(to.String(), port))
	})
	if end.won == nil {
		errs := []error{context.Cause(ctx)}
		for _, failed := range end.lost {
			errs = append(errs, failed.err)
		}
		return nil, errors.Join(errs...)
	}
	return end.won, nil
}

// localAddr is where to connect from to get to an address.
func (d *Dialer) localAddr(to netip.Addr) net.Addr {
	for _, a := range d.LocalAddrs {
		if a = a.Unmap(); a.Is4() == to.Is4() {
			return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
		}
	}
	return nil
}
