package dnscheck

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// sharedSpace is that of carrier-grade NAT (RFC 6598), private in all but
// netip's sense.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// public reports whether others can reach addr.
func public(addr netip.Addr) bool {
	return addr.IsGlobalUnicast() && !addr.IsPrivate() && !sharedSpace.Contains(addr)
}

// address checks one address of host and fills a.
func (r *run) address(ctx context.Context, host string, a *Address) subject {
	s := subject{host: host, addr: a.Addr}
	if !r.Private && !public(a.Addr) {
		s.find(PrivateAddress, "The address %s of %s cannot be reached from the Internet.", a.Addr, host)
		return s
	}
	r.reverse(ctx, a, &s)
	if text, ok := r.greet(ctx, a.Addr, &s); ok {
		a.Greeting = text
		r.greetingName(ctx, a, &s)
	}
	return s
}

// reverse is the "iprev" test of RFC 8601 section 3: the reverse zone's names for
// the address, and whether one of them has that address.
func (r *run) reverse(ctx context.Context, a *Address, s *subject) {
	names, err := mailparts.LookupPTR(ctx, r, a.Addr)
	switch {
	case errors.Is(err, mailparts.ErrNoDomain) || errors.Is(err, mailparts.ErrNoRecords):
		s.find(NoPTR, "The address %s has no name (PTR record) in the reverse zone.", a.Addr)
		return
	case err != nil:
		s.find(LookupFailed, "The name of %s in the reverse zone could not be looked up: %v.", a.Addr, err)
		return
	}
	if len(names) > maxNames {
		s.find(NotChecked, "The address %s has %d names in the reverse zone, of which %d were checked.", a.Addr, len(names), maxNames)
		names = names[:maxNames]
	}
	a.PTR = names
	var failed error
	for _, name := range names {
		ok, err := r.leadsTo(ctx, name, a.Addr)
		if ok {
			a.Confirmed = true
			return
		}
		if err != nil {
			failed = err
		}
	}
	if failed != nil {
		s.find(LookupFailed, "Whether %s is an address of %s could not be looked up: %v.", a.Addr, strings.Join(names, ", "), failed)
		return
	}
	s.find(PTRMismatch, "The reverse zone calls %s %s, but that is not its address.", a.Addr, strings.Join(names, ", "))
}

// greetingName checks the name that the server gives itself: RFC 5321 section
// 4.3.1 wants the official one of the host.
func (r *run) greetingName(ctx context.Context, a *Address, s *subject) {
	word, _, _ := strings.Cut(a.Greeting, " ")
	name := strings.ToLower(strings.TrimSuffix(word, "."))
	switch {
	case name == "":
		s.find(GreetingName, "The server at %s greets without its name.", a.Addr)
		return
	case name == s.host || slices.Contains(a.PTR, name) || name == literal(a.Addr):
		return
	}
	ok, err := r.leadsTo(ctx, name, a.Addr)
	switch {
	case err != nil:
		s.find(LookupFailed, "Whether %s is an address of %s, as the greeting says, could not be looked up: %v.", a.Addr, word, err)
	case !ok:
		s.find(GreetingName, "The server at %s calls itself %s, which is neither %s nor a name that leads to it.", a.Addr, word, s.host)
	}
}

// literal is addr as a server without a name gives it, in lower case (RFC 5321
// section 4.1.3).
func literal(addr netip.Addr) string {
	if addr.Is4() {
		return "[" + addr.String() + "]"
	}
	return "[ipv6:" + addr.String() + "]"
}

// leadsTo reports whether addr is one of name's addresses. An error means that
// nobody could tell.
func (r *run) leadsTo(ctx context.Context, name string, addr netip.Addr) (bool, error) {
	addrs, err := mailparts.LookupAddrs(ctx, r, name)
	if errors.Is(err, mailparts.ErrNoDomain) || errors.Is(err, mailparts.ErrNoRecords) {
		return false, nil
	}
	return slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap() == addr }), err
}
