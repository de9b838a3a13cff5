package smtp

import (
	"cmp"
	"context"
	"io"
	"net"
	"strconv"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// maxRelayAttempts is how many addresses one domain's mail is tried at: whoever
// writes the DNS must not say how long that takes.
const maxRelayAttempts = 10

// relayDelivery is the attempt to deliver to the recipients of one group.
type relayDelivery struct {
	relay *Relay
	env   *mailparts.Envelope
	msg   io.ReadSeeker
	start int64
	errs  mailparts.RcptErrors // by env.To
	left  []int                // of env.To, those for whom the next host may be tried
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

// smarthost hands all to the smarthost. That it does not let us in is a matter
// between it and us: no reason to bounce mail.
func (d *relayDelivery) smarthost(ctx context.Context) {
	dialer := d.relay.Dialer
	dialer.Hostname = d.relay.hostname()
	c, err := dialer.Dial(ctx, d.relay.Smarthost)
	if err != nil {
		if !mailparts.AsError(err).Temporary() {
			err = &mailparts.Error{Code: 451, Status: "4.3.5", Message: "The smarthost does not let us in", Err: err}
		}
		d.failed(err)
		return
	}
	d.transact(ctx, c)
}

// byMX tries the hosts of domain.
func (d *relayDelivery) byMX(ctx context.Context, domain string) {
	hosts, err := d.relay.hosts(ctx, domain)
	if err != nil {
		d.failed(err)
		return
	}
	attempts := 0
	for _, host := range hosts {
		addrs, err := d.relay.addrs(ctx, host, domain)
		if err != nil {
			d.failed(err)
		}
		for _, addr := range addrs {
			if ctx.Err() != nil { // not tried is not delivered
				d.failed(context.Cause(ctx))
				return
			}
			if attempts == maxRelayAttempts {
				return
			}
			attempts++
			if c := d.connect(ctx, host.name, addr.String()); c != nil {
				d.transact(ctx, c)
				break
			}
		}
		if len(d.left) == 0 {
			return
		}
	}
}

// connect returns a connection to one of a host's addresses, or nil.
func (d *relayDelivery) connect(ctx context.Context, host, addr string) *Client {
	dialer := d.relay.Dialer
	dialer.Hostname = d.relay.hostname()
	dialer.Auth = nil
	port := strconv.Itoa(cmp.Or(d.relay.Port, 25))
	c, err := dialer.dial(ctx, "tcp", net.JoinHostPort(addr, port), host)
	if err != nil {
		serve.Logger(dialer.Logger).InfoContext(ctx, "no mail to a host", "protocol", "smtp", "id", d.env.ID, "host", host, "addr", addr, "err", err)
		d.failed(err)
		return nil
	}
	return c
}

// transact sends the message to those who are left, and leaves those for whom
// another host may be tried.
func (d *relayDelivery) transact(ctx context.Context, c *Client) {
	defer c.Quit(ctx)
	if _, err := d.msg.Seek(d.start, io.SeekStart); err != nil {
		d.failed(err)
		d.left = nil
		return
	}
	env := *d.env
	env.To = make([]mailparts.Rcpt, len(d.left))
	for n, i := range d.left {
		env.To[n] = d.env.To[i]
	}
	t := c.transact(ctx, &env, d.msg)
	tried := d.left
	d.left = nil
	begun := t.begun()
	for n, i := range tried {
		err := t.rcptError(n)
		if err != nil && !begun[n] && mailparts.AsError(err).Temporary() {
			d.left = append(d.left, i)
		}
		d.errs[i] = err
	}
}
