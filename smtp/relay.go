package smtp

import (
	"cmp"
	"context"
	"io"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
	"github.com/mailparts/mailparts/internal/serve"
)

// Relay is a Deliverer that hands mail to other MTAs: to the hosts that the
// recipients' domains name (RFC 5321 section 5.1), or all of it to a smarthost.
// The zero value is ready for use. A Relay must not be copied after first use.
//
// It refuses, with 550 5.7.1, mail that its Peer may not send elsewhere:
// Envelope.MayRelay. It tries once and at once; later attempts are the queue's.
// Each domain's hosts are tried in the order of their preferences, and each
// host's addresses, until every recipient has a lasting answer; a host that
// cannot be reached, or answers 4xx, leads to the next one. Only those whose
// message has begun to flow are left as they are: nobody else is given it.
//
// What comes of it, beside what the far side says:
//
//	the DNS cannot tell                                  451 4.4.3
//	no host can be reached                               451 4.4.1, 4.4.2
//	no such domain, or one without MX and address        550 5.1.2
//	none of the MX names has an address                  550 5.4.4
//	a null MX (RFC 7505)                                 556 5.1.10
//	no MX is better than this host: a loop               554 5.4.6
type Relay struct {
	Hostname  string             // of this host, in EHLO and among MX names [Dialer's]
	Smarthost string             // "host:port" that takes all mail; "": by MX
	Resolver  mailparts.Resolver // nil: a dns.Client
	Port      int                // of MX hosts [25]

	// Dialer has the timeouts, the TLS mode and the log. Its Auth is for the
	// smarthost only.
	Dialer Dialer

	dns dns.Client
}

var _ mailparts.Deliverer = (*Relay)(nil)

// Deliver implements mailparts.Deliverer. A msg that cannot seek is read to its
// end first.
func (r *Relay) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	if !env.MayRelay() {
		return refusal(550, "5.7.1", "Relaying denied")
	}
	buffered, err := mailparts.Buffer(msg)
	if err != nil {
		return err
	}
	defer buffered.Close()
	start, err := buffered.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	errs := make(mailparts.RcptErrors, len(env.To))
	for _, g := range r.groups(env) {
		d := relayDelivery{relay: r, env: env, msg: buffered, start: start, errs: errs, left: g.rcpts}
		if r.Smarthost != "" {
			d.smarthost(ctx)
		} else {
			d.byMX(ctx, g.domain)
		}
	}
	return uniform(errs)
}

// relayGroup is the recipients that go one way.
type relayGroup struct {
	domain string
	rcpts  []int // indexes into Envelope.To
}

// groups are the recipients by domain, in the order of their first ones.
func (r *Relay) groups(env *mailparts.Envelope) []relayGroup {
	var groups []relayGroup
	at := map[string]int{}
	for i, to := range env.To {
		domain := ""
		if r.Smarthost == "" {
			domain = to.Addr.Domain()
		}
		n, ok := at[domain]
		if !ok {
			n = len(groups)
			at[domain] = n
			groups = append(groups, relayGroup{domain: domain})
		}
		groups[n].rcpts = append(groups[n].rcpts, i)
	}
	return groups
}

func (r *Relay) hostname() string { return serve.Hostname(cmp.Or(r.Hostname, r.Dialer.Hostname)) }

func (r *Relay) resolver() mailparts.Resolver {
	if r.Resolver == nil {
		return &r.dns
	}
	return r.Resolver
}
