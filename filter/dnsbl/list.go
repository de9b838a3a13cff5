package dnsbl

import (
	"net/netip"
	"strings"

	"github.com/mailparts/mailparts"
)

// List is one list, or with Codes a part of one (RFC 5782 section 2.3). A zone
// that is named by several is asked once.
type List struct {
	// Zone is where it is in the DNS: "bad.example.com".
	Zone string
	// Weight is what it adds to the score of those who are on it. Less than 0: it
	// allows. 0: 1.
	Weight int
	// Codes tells which addresses of 127.0.0.0/8 mean that somebody is listed; with
	// several in an answer, one is enough. Nil: all but 127.0.0.1, which a list does
	// not have (section 5), and 127.255.255.0/24: by those, large lists tell a name
	// server that it may not ask them.
	Codes func(code netip.Addr) bool
	// Domains means that domains are listed, not addresses (section 3).
	Domains bool
}

// Listing is a List that has somebody.
type Listing struct {
	List
	Subject string       // who is listed: the address or domain
	Codes   []netip.Addr // that the list has for it
	Reason  string       // the list's own words, printable ASCII; see Checker.Reasons
}

var (
	loopback = netip.MustParsePrefix("127.0.0.0/8")
	notices  = netip.MustParsePrefix("127.255.255.0/24")
	noEntry  = netip.MustParseAddr("127.0.0.1")
)

// means reports whether one of codes means that somebody is listed.
func (l *List) means(codes []netip.Addr) bool {
	for _, c := range codes {
		if l.Codes != nil && l.Codes(c) || l.Codes == nil && c != noEntry && !notices.Contains(c) {
			return true
		}
	}
	return false
}

func (l *List) weight() int {
	if l.Weight == 0 {
		return 1
	}
	return l.Weight
}

// addressName is where a zone has addr (RFC 5782 sections 2.1 and 2.4).
func addressName(addr netip.Addr, zone string) string {
	name := mailparts.ReverseName(addr)
	name = strings.TrimSuffix(strings.TrimSuffix(name, "in-addr.arpa"), "ip6.arpa")
	return name + zone
}
