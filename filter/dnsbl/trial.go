package dnsbl

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// Where every list of addresses must have an entry, as IPv4 or as IPv6, and where
// none may have one: 127.0.0.2 and 127.0.0.1, ::FFFF:7F00:2 and ::FFFF:7F00:1 (RFC
// 5782 section 5). mailparts.ReverseName would make IPv4 of the latter.
var (
	mappedTail = "0.0.0.0.0.f.7.f.f.f.f." + strings.Repeat("0.", 20)
	mustHave   = []string{"2.0.0.127.", "2." + mappedTail}
	mayNot     = []string{"1.0.0.127.", "1." + mappedTail}
)

// Test asks the Lists for their test entries (RFC 5782 section 5). The error names
// those that do not have them, or seem to list everybody, as a zone does that
// somebody else has got: they should not be used. It names a list that could not
// be asked, too. A program should call it when it starts, and every few hours: a
// list may end at any time.
func (c *Checker) Test(ctx context.Context) error {
	var errs []error
	for i := range c.Lists {
		l := &c.Lists[i]
		if err := c.test(ctx, l); err != nil {
			errs = append(errs, fmt.Errorf("dnsbl: %s: %w", zone(l), err))
		}
	}
	return errors.Join(errs...)
}

func (c *Checker) test(ctx context.Context, l *List) error {
	have, not := mustHave, mayNot
	if l.Domains {
		have, not = []string{"test."}, []string{"invalid."}
	}
	for _, name := range not {
		switch addrs, err := c.entry(ctx, name+zone(l)); {
		case err != nil:
			return err
		case addrs != nil:
			return errors.New("it lists everybody, or it is no list")
		}
	}
	for _, name := range have {
		if addrs, err := c.entry(ctx, name+zone(l)); err != nil || slices.ContainsFunc(addrs, loopback.Contains) {
			return err
		}
	}
	return errors.New("it has no test entry")
}

// entry is what name has, whether that is an answer of a list or not.
func (c *Checker) entry(ctx context.Context, name string) (addrs []netip.Addr, err error) {
	ans, err := c.resolver().Lookup(ctx, name, mailparts.TypeA)
	if errors.Is(err, mailparts.ErrNoDomain) || errors.Is(err, mailparts.ErrNoRecords) {
		return nil, nil
	}
	for _, r := range ans.Records {
		addrs = append(addrs, r.Addr)
	}
	return addrs, err
}
