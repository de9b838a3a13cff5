package dnsbl

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
)

// The values that zero fields of a Checker stand for.
const (
	defaultThreshold = 1
	defaultTimeout   = 5 * time.Second
)

// maxLine is how much is told of one list: a line of a reply has 512 octets (RFC
// 5321 section 4.5.3.1.5).
const maxLine = 400

// Checker asks Lists about peers and senders. The zero value asks nobody. Its
// methods may be called at once from many goroutines; fields must not change and
// it must not be copied after first use.
type Checker struct {
	// Lists are asked all at once.
	Lists []List
	// Threshold is the score from which on somebody is refused. 0: 1. Less: nobody
	// is, messages are only marked.
	Threshold int
	// Exempt are networks that the lists are not asked about.
	Exempt []netip.Prefix
	// Reasons asks for the words of lists that refuse, which the peer is told with
	// the refusal (RFC 5782 section 2.1).
	Reasons bool
	// Timeout is how long all look-ups for one peer may take together. 0: 5 seconds.
	Timeout time.Duration
	// Resolver answers. Nil: a dns.Client. The name servers of large resolvers are
	// often refused by lists: they should be the site's own.
	Resolver mailparts.Resolver
	// Logger hears of look-ups that failed and of zones that are no lists. Nil:
	// discard.
	Logger *slog.Logger

	client dns.Client
}

// Result is what all lists have about somebody.
type Result struct {
	Score    int       // the sum of their weights
	Listings []Listing // in the order of Checker.Lists
}

// Check asks about an address and a domain. An address that is not valid, and a
// domain that is "" or an address literal, is not asked about.
func (c *Checker) Check(ctx context.Context, addr netip.Addr, domain string) Result {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, defaultTimeout))
	defer cancel()
	questions := c.questions(addr.Unmap().WithZone(""), domain)
	var asking sync.WaitGroup
	for _, q := range questions {
		asking.Go(func() { q.ask(ctx, c) })
	}
	asking.Wait()

	var r Result
	for i := range c.Lists {
		l := &c.Lists[i]
		for _, q := range questions {
			if q.about(l) && l.means(q.codes) {
				r.Score += l.weight()
				r.Listings = append(r.Listings, Listing{*l, q.subject, q.codes, q.reason})
			}
		}
	}
	return r
}

// question is one name to look up, for all Lists of its zone.
type question struct {
	zone, name, subject string
	domain              bool
	reason              string
	codes               []netip.Addr
}

// about reports whether l is one of the Lists that q is for.
func (q *question) about(l *List) bool { return q.zone == zone(l) && q.domain == l.Domains }

func zone(l *List) string { return strings.TrimSuffix(l.Zone, ".") }

func (c *Checker) questions(addr netip.Addr, domain string) (all []*question) {
	domain = strings.TrimSuffix(domain, ".")
lists:
	for i := range c.Lists {
		l := &c.Lists[i]
		for _, q := range all {
			if q.about(l) {
				continue lists
			}
		}
		q := &question{zone: zone(l), domain: l.Domains}
		switch {
		case l.Domains && domain != "" && domain[0] != '[':
			q.subject, q.name = domain, domain+"."+q.zone
		case !l.Domains && addr.IsValid():
			q.subject, q.name = addr.String(), addressName(addr, q.zone)
		default:
			continue
		}
		all = append(all, q)
	}
	return all
}

// ask looks q up. What fails leaves it without codes: not listed.
func (q *question) ask(ctx context.Context, c *Checker) {
	q.codes = c.codes(ctx, q.name)
	if c.Reasons && c.refuses(q) {
		q.reason = c.reason(ctx, q.name)
	}
}

// refuses reports whether q's codes are those of a List that does not allow.
func (c *Checker) refuses(q *question) bool {
	for i := range c.Lists {
		if l := &c.Lists[i]; q.about(l) && l.weight() > 0 && l.means(q.codes) {
			return true
		}
	}
	return false
}

// codes are the addresses that a list has for name.
func (c *Checker) codes(ctx context.Context, name string) (codes []netip.Addr) {
	ans, err := c.resolver().Lookup(ctx, name, mailparts.TypeA)
	if err != nil {
		if !errors.Is(err, mailparts.ErrNoDomain) && !errors.Is(err, mailparts.ErrNoRecords) {
			c.logger().WarnContext(ctx, "DNS list does not answer", "name", name, "err", err)
		}
		return nil
	}
	for _, r := range ans.Records {
		if loopback.Contains(r.Addr) {
			codes = append(codes, r.Addr)
		} else {
			c.logger().WarnContext(ctx, "DNS list has an address that is none of a list", "name", name, "addr", r.Addr)
		}
	}
	return codes
}

// reason is what a list says of name, fit for a reply.
func (c *Checker) reason(ctx context.Context, name string) string {
	ans, err := c.resolver().Lookup(ctx, name, mailparts.TypeTXT)
	if err != nil || len(ans.Records) == 0 {
		return ""
	}
	return printable(strings.Join(ans.Records[0].Text, ""))
}

// printable is s without what must not stand in a reply, and no longer than a line
// of one should be.
func printable(s string) string {
	b := []byte(s[:min(len(s), maxLine)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

func (c *Checker) resolver() mailparts.Resolver {
	if c.Resolver != nil {
		return c.Resolver
	}
	return &c.client
}

func (c *Checker) logger() *slog.Logger {
	return cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
}
