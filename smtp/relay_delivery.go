package smtp

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// maxRelayAttempts is how many addresses one domain's mail is tried at: whoever
// writes the DNS must not say how long that takes.
const maxRelayAttempts = 10

// maxRelayHosts is how many MX hosts are looked up, likewise.
const maxRelayHosts = 20

// relayDelivery is the attempt to deliver to the recipients of one domain.
type relayDelivery struct {
	relay    *Relay
	dialer   *Dialer // for MX hosts
	env      *mailparts.Envelope
	msg      io.ReadSeeker
	start    int64
	errs     mailparts.RcptErrors // by env.To
	domain   string
	left     []int // of env.To, those for whom the next host may be tried
	attempts int   // connections that may yet be tried
}

// failed notes why nobody left could be served. A temporary reason outlasts a
// permanent one: another host may yet do better next time.
func (d *relayDelivery) failed(err error) {
	for _, i := range d.left {
		if d.errs[i] == nil || !mailparts.AsError(d.errs[i]).Temporary() {
			d.errs[i] = err
		}
	}
}

// run tries the hosts of the domain.
func (d *relayDelivery) run(ctx context.Context) {
	dest, hosts, err := d.relay.destination(ctx, d.domain)
	if err != nil {
		d.failed(err)
		return
	}
	for n, host := range hosts {
		if n == maxRelayHosts {
			d.failed(refusal(451, "4.4.4", "Domain "+d.domain+" has more mail servers than are tried at once"))
			return
		}
		if ctx.Err() != nil { // not tried is not delivered
			d.failed(context.Cause(ctx))
			return
		}
		d.host(ctx, dest, host)
		if len(d.left) == 0 || d.attempts == 0 {
			return
		}
	}
}

// host tries one host: over an idle connection, or one to the first of its
// addresses that takes mail.
func (d *relayDelivery) host(ctx context.Context, dest *TLSDestination, host relayHost) {
	t, err := d.security(ctx, dest, host)
	if err != nil {
		d.log(ctx, host, "", err)
		d.failed(err)
		return
	}
	addrs, err := d.relay.addrs(ctx, host, d.domain)
	if err != nil {
		d.failed(err)
		return
	}
	if d.reuse(ctx, host, addrs, t) {
		return
	}
	for len(addrs) > 0 && d.attempts > 0 {
		var conn *pooledConn
		if conn, addrs = d.connect(ctx, host, addrs, t); conn != nil {
			d.send(ctx, conn, t)
			return
		}
		if ctx.Err() != nil {
			d.failed(context.Cause(ctx))
			return
		}
	}
}

// security is what the policy and the envelope demand of a host.
func (d *relayDelivery) security(ctx context.Context, dest *TLSDestination, host relayHost) (*HostTLS, error) {
	var t *HostTLS
	if policy := d.relay.TLSPolicy; policy != nil {
		var err error
		if t, err = policy.HostTLS(ctx, dest, host.name); err != nil {
			return nil, err
		}
	}
	t = t.forDialer(d.dialer).forEnvelope(d.env)
	if t.required && dest.MX != nil && !dest.Secure && !t.Authentic { // RFC 8689 section 4.2.1, step 2
		return nil, refusal(550, "5.7.10", "TLS is required, and nothing vouches for "+host.name+" as a mail server of "+d.domain)
	}
	return t, nil
}

// reuse sends over an idle connection to one of the addresses, and reports whether
// there was one that worked.
func (d *relayDelivery) reuse(ctx context.Context, host relayHost, addrs []netip.Addr, t *HostTLS) bool {
	for _, addr := range addrs {
		if conn := d.relay.Pool.take(ctx, d.dialer.poolKey(d.addr(host, addr), t), t, d.forLeft()); conn != nil {
			return d.send(ctx, conn, t)
		}
	}
	return false
}

// connect returns a connection to one of the addresses, or nil, and those that are
// worth another try.
func (d *relayDelivery) connect(ctx context.Context, host relayHost, addrs []netip.Addr, t *HostTLS) (conn *pooledConn, rest []netip.Addr) {
	now := min(len(addrs), d.attempts)
	end := race(ctx, addrs[:now], func(ctx context.Context, addr netip.Addr) (net.Conn, error) {
		return d.dialer.connect(ctx, d.addr(host, addr))
	})
	d.attempts -= end.started
	for _, lost := range end.lost {
		err := noConnection(host.name, lost.err)
		d.log(ctx, host, lost.addr.String(), err)
		d.failed(err)
	}
	rest = slices.Concat(end.rest, addrs[now:])
	if end.won == nil {
		return nil, rest
	}
	a := d.addr(host, end.addr)
	c, err := d.dialer.ready(ctx, end.won, a, t)
	if err != nil {
		d.log(ctx, host, end.addr.String(), err)
		if mailparts.AsError(err).Code != 521 {
			err = notLetIn(err, "4.3.2")
		}
		d.failed(err)
		return nil, rest
	}
	return &pooledConn{Client: c, key: d.dialer.poolKey(a, t), tls: *t}, rest
}

// forLeft is the envelope for those who are left.
func (d *relayDelivery) forLeft() *mailparts.Envelope {
	env := *d.env
	env.To = make([]mailparts.Rcpt, len(d.left))
	for n, i := range d.left {
		env.To[n] = d.env.To[i]
	}
	return &env
}

// addr is where host is under one of its addresses.
func (d *relayDelivery) addr(host relayHost, addr netip.Addr) clientAddr {
	port := strconv.Itoa(cmp.Or(d.relay.Port, 25))
	return clientAddr{"tcp", net.JoinHostPort(addr.String(), port), host.name}
}

func (d *relayDelivery) log(ctx context.Context, host relayHost, addr string, err error) {
	serve.Logger(d.dialer.Logger).InfoContext(ctx, "no mail to a host", "protocol", "smtp", "id", d.env.ID, "host", host.name, "addr", addr, "err", err)
}

// send sends the message to those who are left, and leaves those for whom another
// host may be tried. It reports whether conn was of use at all.
func (d *relayDelivery) send(ctx context.Context, conn *pooledConn, t *HostTLS) (used bool) {
	if err := conn.requireTLS(); t.required && err != nil {
		d.relay.Pool.put(ctx, conn) // RFC 8689 section 4.2.1: other messages may go there
		d.failed(err)
		return true
	}
	if _, err := d.msg.Seek(d.start, io.SeekStart); err != nil {
		d.relay.Pool.put(ctx, conn)
		d.failed(err)
		d.left = nil
		return true
	}
	sent, gone := d.relay.Pool.send(ctx, conn, d.forLeft(), d.msg)
	if gone {
		return false
	}
	tried := d.left
	d.left = nil
	begun := sent.begun()
	for n, i := range tried {
		err := sent.rcptError(n)
		if err != nil && !begun[n] && mailparts.AsError(err).Temporary() {
			d.left = append(d.left, i)
		}
		d.errs[i] = err
	}
	return true
}
