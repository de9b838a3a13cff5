package smtp

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// relayHost is a host that takes a domain's mail.
type relayHost struct {
	name string
	addr netip.Addr // of an address literal
}

// destination is where domain's mail goes: what the DNS says, and of that the
// hosts in the order to try them.
func (r *Relay) destination(ctx context.Context, domain string) (*TLSDestination, []relayHost, error) {
	dest := &TLSDestination{Domain: domain}
	if domain == "" {
		return nil, nil, refusal(550, "5.1.3", "Address without a domain")
	}
	if domain[0] == '[' {
		hosts, err := literalRelayHost(domain)
		return dest, hosts, err
	}
	mx := mxResolver{Resolver: r.resolver()}
	mxs, err := mailparts.LookupMX(ctx, &mx, domain)
	switch {
	case errors.Is(err, mailparts.ErrNullMX): // RFC 7505 section 4.2
		return nil, nil, refusal(556, "5.1.10", "Domain "+domain+" accepts no mail")
	case errors.Is(err, mailparts.ErrNoDomain):
		return nil, nil, refusal(550, "5.1.2", "Domain "+domain+" does not exist")
	case err != nil:
		return nil, nil, relayDNSFailure(domain, err)
	}
	if mx.found {
		dest.MX, dest.Secure = slices.Clone(mxs), mx.secure
	}
	var hosts []relayHost
	for _, mx := range r.betterThanUs(mxs) {
		hosts = append(hosts, relayHost{name: mx.Host})
	}
	if hosts == nil {
		return nil, nil, refusal(554, "5.4.6", "Mail for "+domain+" loops back to this host")
	}
	return dest, hosts, nil
}

// mxResolver notes what mailparts.LookupMX does not tell of its answer.
type mxResolver struct {
	mailparts.Resolver
	found, secure bool
}

func (r *mxResolver) Lookup(ctx context.Context, name string, typ mailparts.RRType) (mailparts.Answer, error) {
	ans, err := r.Resolver.Lookup(ctx, name, typ)
	r.found, r.secure = err == nil, ans.Authenticated
	return ans, err
}

// betterThanUs drops this host from mxs, and all that are no better: they would
// send the mail back (RFC 5321 section 5.1).
func (r *Relay) betterThanUs(mxs []mailparts.MX) []mailparts.MX {
	us := r.hostname()
	for _, own := range mxs {
		if !strings.EqualFold(own.Host, us) {
			continue
		}
		for i, mx := range mxs {
			if mx.Preference == own.Preference {
				return mxs[:i]
			}
		}
	}
	return mxs
}

// literalRelayHost is the host of an address literal (RFC 5321 section 4.1.3).
func literalRelayHost(domain string) ([]relayHost, error) {
	s := strings.Trim(domain, "[]")
	s, six := strings.CutPrefix(s, "ipv6:")
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Is6() != six || addr.Zone() != "" {
		return nil, refusal(550, "5.1.2", "Address literal "+domain+" is not known")
	}
	return []relayHost{{name: addr.String(), addr: addr}}, nil
}

// addrs are host's addresses in the order to try them.
func (r *Relay) addrs(ctx context.Context, host relayHost, domain string) ([]netip.Addr, error) {
	if host.addr.IsValid() {
		return []netip.Addr{host.addr}, nil
	}
	addrs, err := mailparts.LookupAddrs(ctx, r.resolver(), host.name)
	switch {
	case err == nil:
		return eyeballs(addrs), nil
	case !errors.Is(err, mailparts.ErrNoDomain) && !errors.Is(err, mailparts.ErrNoRecords):
		return nil, relayDNSFailure(host.name, err)
	case strings.EqualFold(host.name, domain):
		return nil, refusal(550, "5.1.2", "Domain "+domain+" has no mail server")
	}
	return nil, refusal(550, "5.4.4", "Mail server "+host.name+" of "+domain+" has no address")
}

func relayDNSFailure(name string, err error) error {
	return &mailparts.Error{Code: 451, Status: "4.4.3", Message: "DNS lookup of " + name + " failed", Err: err}
}
