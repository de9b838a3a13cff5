package mailparts

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Resolver looks up DNS records. One interface serves smtp.Relay, queue and
// dnscheck; package dns implements it against a recursive resolver, mailtest
// fakes it.
//
// Lookup returns the records of type typ that name leads to, aliases followed,
// in the order of the answer. No error means at least one record; ErrNoDomain
// and ErrNoRecords are the DNS's own word, any other error means that nobody
// could tell now. Names come and go without a trailing dot; what comes back is
// in lower case.
type Resolver interface {
	Lookup(ctx context.Context, name string, typ RRType) (Answer, error)
}

// A name that does not exist (NXDOMAIN: RFC 8020) and one that has no such
// records (NODATA: RFC 2308) are different answers, and both are lasting ones.
var (
	ErrNoDomain  = errors.New("no such domain")
	ErrNoRecords = errors.New("no such records")
)

// RRType is the TYPE of a DNS record (RFC 1035 section 3.2.2).
type RRType uint16

// The types that mail asks for.
const (
	TypeA     RRType = 1
	TypeCNAME RRType = 5 // the alias itself: asked for it, Lookup follows none
	TypePTR   RRType = 12
	TypeMX    RRType = 15
	TypeTXT   RRType = 16
	TypeAAAA  RRType = 28
	TypeTLSA  RRType = 52 // RFC 6698
)

// Answer is what Lookup found.
type Answer struct {
	Records       []Record
	Authenticated bool // the resolver's AD bit (RFC 4035): worth something on a trusted path only
}

// Record is one DNS record. Which fields are set depends on its type.
type Record struct {
	TTL        time.Duration
	Addr       netip.Addr // A, AAAA
	Name       string     // MX, PTR, CNAME: the target; "" is the root
	Preference uint16     // MX: the lowest first
	Text       []string   // TXT: its character-strings
	Data       []byte     // any other type: RDATA
}

// MX is a host that takes a domain's mail.
type MX struct {
	Host       string
	Preference uint16
}

// ErrNullMX means that a domain takes no mail and says so (RFC 7505).
var ErrNullMX = errors.New("domain accepts no mail")

// LookupMX returns the hosts that take domain's mail, in the order to try them:
// equals shuffled (RFC 5321 section 5.1). A domain without MX records is its own
// MX with preference 0. The errors are ErrNoDomain, ErrNullMX, and those of r.
func LookupMX(ctx context.Context, r Resolver, domain string) ([]MX, error) {
	ans, err := r.Lookup(ctx, domain, TypeMX)
	if errors.Is(err, ErrNoRecords) {
		return []MX{{Host: domain}}, nil
	}
	if err != nil {
		return nil, err
	}
	var mxs []MX
	for _, rec := range ans.Records {
		if rec.Name != "" { // a null MX beside others says nothing
			mxs = append(mxs, MX{rec.Name, rec.Preference})
		}
	}
	if len(mxs) == 0 {
		return nil, ErrNullMX
	}
	rand.Shuffle(len(mxs), func(i, j int) { mxs[i], mxs[j] = mxs[j], mxs[i] })
	slices.SortStableFunc(mxs, func(a, b MX) int { return cmp.Compare(a.Preference, b.Preference) })
	return mxs, nil
}

// LookupAddrs returns host's IPv6 and IPv4 addresses, IPv6 first. It fails only
// if neither can be had: with ErrNoDomain or ErrNoRecords if the DNS says so for
// both, else with the other error.
func LookupAddrs(ctx context.Context, r Resolver, host string) ([]netip.Addr, error) {
	var addrs []netip.Addr
	var lasting, failed error
	for _, typ := range []RRType{TypeAAAA, TypeA} {
		ans, err := r.Lookup(ctx, host, typ)
		switch {
		case err == nil:
			for _, rec := range ans.Records {
				addrs = append(addrs, rec.Addr)
			}
		case errors.Is(err, ErrNoDomain) || errors.Is(err, ErrNoRecords):
			lasting = err
		default:
			failed = err
		}
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	return nil, cmp.Or(failed, lasting, ErrNoRecords)
}

// LookupPTR returns the names that addr's reverse zone gives it.
func LookupPTR(ctx context.Context, r Resolver, addr netip.Addr) ([]string, error) {
	ans, err := r.Lookup(ctx, ReverseName(addr), TypePTR)
	var names []string
	for _, rec := range ans.Records {
		names = append(names, rec.Name)
	}
	return names, err
}

// ReverseName is addr's name under in-addr.arpa or ip6.arpa (RFC 1035 section
// 3.5, RFC 3596 section 2.5): LookupPTR asks for it.
func ReverseName(addr netip.Addr) string {
	const hex = "0123456789abcdef"
	addr = addr.Unmap()
	var b strings.Builder
	if addr.Is4() {
		for _, o := range slices.Backward(addr.AsSlice()) {
			b.WriteString(strconv.Itoa(int(o)) + ".")
		}
		return b.String() + "in-addr.arpa"
	}
	for _, o := range slices.Backward(addr.AsSlice()) {
		b.Write([]byte{hex[o&15], '.', hex[o>>4], '.'})
	}
	return b.String() + "ip6.arpa"
}
