package dns

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailparts/mailparts"
)

// The values that zero fields of a Client stand for: those of resolv.conf(5).
const (
	defaultTimeout  = 5 * time.Second
	defaultAttempts = 2
)

// maxAliases is how many CNAME records one Lookup follows, in one reply or by
// further queries. It is what ends a loop of them.
const maxAliases = 16

// Client is a mailparts.Resolver. The zero value is ready for use; its methods
// may be called at once from many goroutines. It must not be copied after first
// use.
type Client struct {
	// Servers are the recursive name servers, asked in this order: an IP address
	// or a host, with a port if that is not 53. Nil: those of ResolvConf.
	Servers []string
	// ResolvConf is the file whose nameserver lines count while Servers is nil.
	// It is read again when it has changed; without a server in it, those on
	// 127.0.0.1 and ::1 are asked. "": /etc/resolv.conf.
	ResolvConf string
	// Timeout is how long one server has for one reply. 0: 5 seconds.
	Timeout time.Duration
	// Attempts is how often all the servers are asked in turn. 0: 2.
	Attempts int
	// Dial connects to a server; network is "udp" or "tcp". A "udp" connection
	// keeps the borders of messages. Nil: a net.Dialer, whose every connection has
	// a random port of its own.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	conf resolvConf
}

var _ mailparts.Resolver = (*Client)(nil)

// Lookup implements mailparts.Resolver. A U-label in name is looked up as its
// A-label (RFC 5891 section 5). The TTL of each record is the smallest on the way
// to it. A, AAAA, MX, PTR, TXT and CNAME are decoded, any other type is RDATA as
// it stands.
func (c *Client) Lookup(ctx context.Context, name string, typ mailparts.RRType) (mailparts.Answer, error) {
	ans, err := c.lookup(ctx, name, typ)
	if err != nil {
		what := strings.TrimPrefix(dnsmessage.Type(typ).String(), "Type")
		return mailparts.Answer{}, fmt.Errorf("dns: %s of %q: %w", what, name, err)
	}
	return ans, nil
}

func (c *Client) lookup(ctx context.Context, name string, typ mailparts.RRType) (mailparts.Answer, error) {
	name, err := canonical(name)
	if err != nil {
		return mailparts.Answer{}, err
	}
	chain := chain{name: name, ttl: maxTTL}
	authenticated := true
	for {
		start := chain.name
		r, err := c.query(ctx, question{start, dnsmessage.Type(typ)})
		if err != nil {
			return mailparts.Answer{}, err
		}
		authenticated = authenticated && r.authentic
		records, err := chain.follow(r)
		switch {
		case err != nil:
			return mailparts.Answer{}, err
		case len(records) > 0:
			return mailparts.Answer{Records: records, Authenticated: authenticated}, nil
		case r.rcode == dnsmessage.RCodeNameError:
			// RFC 6604 section 3: it is about the last name of the chain.
			return mailparts.Answer{}, mailparts.ErrNoDomain
		case chain.name == start && len(r.records) > 0:
			return mailparts.Answer{}, errMalformed // they are another name's
		case chain.name == start:
			return mailparts.Answer{}, mailparts.ErrNoRecords
		}
		// The reply ends in an alias, so that the target's own answer is missing.
	}
}

// query asks the servers until one of them knows.
func (c *Client) query(ctx context.Context, q question) (*reply, error) {
	var last error
	servers := c.servers()
	for range orDefault(c.Attempts, defaultAttempts) {
		for _, server := range servers {
			r, err := c.ask(ctx, server, q)
			if err == nil {
				return r, nil
			}
			if err := ended(ctx); err != nil {
				return nil, err
			}
			last = fmt.Errorf("server %s: %w", server, err)
		}
	}
	return nil, last
}

// ended is ctx's error, and already DeadlineExceeded in the moment in which the
// deadline has ended the exchange but not yet ctx.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// servers is who to ask, never nobody.
func (c *Client) servers() []string {
	if len(c.Servers) == 0 {
		return c.conf.servers(c.ResolvConf)
	}
	servers := make([]string, len(c.Servers))
	for i, s := range c.Servers {
		servers[i] = withPort(s)
	}
	return servers
}

func orDefault[T int | time.Duration](v, zero T) T {
	if v > 0 {
		return v
	}
	return zero
}
