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
// Each domain's hosts are tried in the order of their preferences, equals in no
// order. Of each host's addresses, IPv6 and IPv4 in turn, the first that connects
// is used, and the next one is tried beside it after 250 ms (RFC 8305). So it goes
// on until every recipient has a lasting answer: a host that cannot be reached,
// does not let us in or answers 4xx leads to the next one, ten connections in all.
// Only those whose message has begun to flow are left as they are: nobody else is
// given it.
//
// What comes of it, beside what the far side says of sender, recipients and
// message:
//
//	the DNS cannot tell                                  451 4.4.3
//	no host can be reached                               451 4.4.1, 4.4.2
//	hosts that let nobody in, for now (4xx)              as they say
//	hosts that greet us, or answer EHLO, with 5xx        451 4.3.2
//	all hosts greet with 521: no mail ever (RFC 7504)    as they say
//	TLS that the policy wants cannot be had              451 or 550, x.7.4, x.7.5
//	TLS that the envelope requires (RFC 8689)            550 5.7.10, 5.7.30
//	no such domain, or one without MX and address        550 5.1.2
//	none of the MX names has an address                  550 5.4.4
//	a null MX (RFC 7505)                                 556 5.1.10
//	no MX is better than this host: a loop               554 5.4.6
//	more than MaxHops Received fields: a loop            554 5.4.6
//
// A 5xx in the greeting is about us, or about a host that should be no MX (RFC
// 5321 section 3.1): neither is a fault of the mail, which waits for somebody to
// notice. A reason to wait outweighs another host's reason to bounce.
//
// That this host's own name stands in Received fields is no sign of a loop: mail
// comes back by right from lists, filters and forwarders.
type Relay struct {
	Hostname string             // of this host, in EHLO and among MX names [Dialer's]
	Resolver mailparts.Resolver // nil: a dns.Client
	Port     int                // of MX hosts [25]
	MaxHops  int                // Received fields that a message may have [100]; negative: any number

	// Smarthost is the "host:port" or "unix:/path" that takes all mail; "": by MX.
	// The host's addresses are asked for, not its MX. It is secured as the Dialer
	// says: where another network is between, set TLSMandatory, or TLSImplicit for
	// port 465. That it does not let us in is 451 4.3.5.
	Smarthost string

	// TLSPolicy is asked for each MX host; nil: all have the Dialer's TLS.
	TLSPolicy TLSPolicy

	// Dialer has the timeouts, the TLS mode, the local addresses and the log. Its
	// Auth is for the smarthost only.
	Dialer Dialer

	// Pool keeps connections for the messages that follow.
	Pool Pool

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
	if err := r.checkHops(buffered); err != nil {
		return err
	}
	if _, err := buffered.Seek(start, io.SeekStart); err != nil {
		return err
	}
	dialer := r.Dialer
	dialer.Hostname = r.hostname()
	if r.Smarthost != "" {
		return r.Pool.Deliver(ctx, &dialer, r.Smarthost, env, buffered)
	}
	dialer.Auth = nil
	errs := make(mailparts.RcptErrors, len(env.To))
	for _, g := range relayGroups(env) {
		d := relayDelivery{relay: r, dialer: &dialer, env: env, msg: buffered, start: start, errs: errs,
			domain: g.domain, left: g.rcpts, attempts: maxRelayAttempts}
		d.run(ctx)
	}
	return uniform(errs)
}

// Close ends the connections that wait for another message: see Pool.Close. A
// Relay that is never closed lets them go after Pool.IdleTimeout.
func (r *Relay) Close() error { return r.Pool.Close() }

// relayGroup is the recipients that go one way.
type relayGroup struct {
	domain string
	rcpts  []int // indexes into Envelope.To
}

// relayGroups are the recipients by domain, in the order of their first ones.
func relayGroups(env *mailparts.Envelope) []relayGroup {
	var groups []relayGroup
	at := map[string]int{}
	for i, to := range env.To {
		domain := to.Addr.Domain()
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
