package dnscheck

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
)

// What is looked at of one domain at the most: a report says so where there is
// more.
const (
	maxHosts = 16 // of a domain
	maxAddrs = 16 // of a host
	maxNames = 8  // of an address, in the reverse zone
)

const (
	defaultTimeout     = time.Minute
	defaultConcurrency = 8
)

// Checker checks domains. The zero value is ready for use; Check may be called
// at once from many goroutines.
type Checker struct {
	// Resolver looks up everything. Nil: a dns.Client with the name servers of
	// this machine.
	Resolver mailparts.Resolver
	// Dial connects to port 25 of an address; network is "tcp". Nil: a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Timeout is how long one server has from the connection to the end of its
	// greeting. RFC 5321 section 4.5.3.2.1 would grant 5 minutes. 0: one minute.
	Timeout time.Duration
	// Concurrency is how many servers are spoken to, and how many names are looked
	// up, at once. 0: 8.
	Concurrency int
	// Private means that the domain is that of a closed network: addresses which
	// the Internet cannot reach are in order. Otherwise they are a finding and are
	// not connected to, so that no stranger's MX makes us knock at our own doors.
	Private bool
}

// Check looks at domain. Whatever the DNS and the servers do or fail to do is in
// the Report; the only error is ctx's, once it has ended.
func (c *Checker) Check(ctx context.Context, domain string) (*Report, error) {
	r := run{Checker: *c}
	if r.Resolver == nil {
		r.Resolver = new(dns.Client)
	}
	if r.Dial == nil {
		r.Dial = new(net.Dialer).DialContext
	}
	if r.Timeout <= 0 {
		r.Timeout = defaultTimeout
	}
	if r.Concurrency <= 0 {
		r.Concurrency = defaultConcurrency
	}
	r.slots = make(chan struct{}, r.Concurrency)
	report := r.domain(ctx, strings.ToLower(strings.TrimSuffix(domain, ".")))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return report, nil
}

// run is one Check: a Checker without zero values.
type run struct {
	Checker
	slots chan struct{} // taken around everything that waits for the network
}

// Lookup makes run a mailparts.Resolver that keeps to Concurrency.
func (r *run) Lookup(ctx context.Context, name string, typ mailparts.RRType) (mailparts.Answer, error) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	return r.Resolver.Lookup(ctx, name, typ)
}

func (r *run) domain(ctx context.Context, domain string) *Report {
	report := &Report{Domain: domain}
	var s subject
	report.MX, report.Implicit = r.exchangers(ctx, domain, &s)
	subjects := make([]subject, len(report.MX))
	var all sync.WaitGroup
	for i := range report.MX {
		all.Go(func() { subjects[i] = r.host(ctx, &report.MX[i], report.Implicit) })
	}
	all.Wait()
	report.Findings = s.findings
	for _, s := range subjects {
		report.Findings = append(report.Findings, s.findings...)
	}
	return report
}

// exchangers are the hosts that take domain's mail. It is not
// mailparts.LookupMX, which does not tell an implicit MX from a record.
func (r *run) exchangers(ctx context.Context, domain string, s *subject) (hosts []Host, implicit bool) {
	ans, err := r.Lookup(ctx, domain, mailparts.TypeMX)
	switch {
	case errors.Is(err, mailparts.ErrNoDomain):
		s.find(NoDomain, "The domain %s does not exist.", domain)
		return nil, false
	case errors.Is(err, mailparts.ErrNoRecords):
		s.find(NoMX, "The domain %s has no MX records, so its mail goes to its own addresses.", domain)
		return []Host{{Name: domain}}, true
	case err != nil:
		s.find(LookupFailed, "The MX records of %s could not be looked up: %v.", domain, err)
		return nil, false
	}
	null := false
	for _, rec := range ans.Records {
		if null = null || rec.Name == ""; rec.Name != "" {
			hosts = append(hosts, Host{Name: rec.Name, Preference: rec.Preference})
		}
	}
	switch {
	case len(hosts) == 0:
		s.find(NullMX, "The domain %s takes no mail.", domain)
	case null:
		s.find(NullMXBeside, "The domain %s says that it takes no mail, and has MX records that say it does.", domain)
	}
	hosts = sortHosts(hosts)
	if len(hosts) > maxHosts {
		s.find(NotChecked, "The domain %s has %d MX records, of which %d were checked.", domain, len(hosts), maxHosts)
		hosts = hosts[:maxHosts]
	}
	return hosts, false
}

// host checks h and fills it.
func (r *run) host(ctx context.Context, h *Host, implicit bool) subject {
	s := subject{host: h.Name}
	if _, err := netip.ParseAddr(h.Name); err == nil {
		s.find(MXLiteral, "The MX record names the address %s, where the name of a host has to stand.", h.Name)
		return s
	}
	if !implicit { // RFC 5321 section 5.1: the domain itself may be an alias
		r.alias(ctx, h, &s)
	}
	addrs, err := mailparts.LookupAddrs(ctx, r, h.Name)
	switch {
	case errors.Is(err, mailparts.ErrNoDomain):
		s.find(MXNoAddress, "The host %s does not exist.", h.Name)
	case errors.Is(err, mailparts.ErrNoRecords):
		s.find(MXNoAddress, "The host %s has no address.", h.Name)
	case err != nil:
		s.find(LookupFailed, "The addresses of %s could not be looked up: %v.", h.Name, err)
	}
	if len(addrs) > maxAddrs {
		s.find(NotChecked, "The host %s has %d addresses, of which %d were checked.", h.Name, len(addrs), maxAddrs)
		addrs = addrs[:maxAddrs]
	}
	h.Addrs = make([]Address, len(addrs))
	subjects := make([]subject, len(addrs))
	var all sync.WaitGroup
	for i, addr := range addrs {
		h.Addrs[i].Addr = addr.Unmap()
		all.Go(func() { subjects[i] = r.address(ctx, h.Name, &h.Addrs[i]) })
	}
	all.Wait()
	for _, a := range subjects {
		s.findings = append(s.findings, a.findings...)
	}
	return s
}

func (r *run) alias(ctx context.Context, h *Host, s *subject) {
	ans, err := r.Lookup(ctx, h.Name, mailparts.TypeCNAME)
	if err != nil || len(ans.Records) == 0 {
		return // the lookup of its addresses tells what is wrong, if anything
	}
	h.Alias = ans.Records[0].Name
	s.find(MXAlias, "The MX record names %s, which is an alias of %s.", h.Name, h.Alias)
}
