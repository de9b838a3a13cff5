package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/dnsbl"
	"github.com/mailparts/mailparts/filter/greylist"
	"github.com/mailparts/mailparts/filter/spamd"
	"github.com/mailparts/mailparts/filter/throttle"
	"github.com/mailparts/mailparts/lmtp"
)

// filters are what mail of strangers has to pass, the first outermost.
func (s *system) filters(ctx context.Context, local *lmtp.Local, resolver mailparts.Resolver) ([]mailparts.Filter, error) {
	c := s.config
	guesses := &throttle.Limiter{Events: 50, Per: time.Hour}
	filters := []mailparts.Filter{guesses.FailedRcpts}
	if len(c.dnsbl) > 0 {
		lists := &dnsbl.Checker{Reasons: true, Resolver: resolver, Logger: s.log}
		for _, zone := range c.dnsbl {
			lists.Lists = append(lists.Lists, dnsbl.List{Zone: zone})
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := lists.Test(ctx); err != nil {
			s.log.Warn("a list in the DNS is not as it should be", "err", err)
		}
		filters = append(filters, mailparts.OnMail(lists.Mail))
	}
	filters = append(filters, mailparts.OnRcpt(local.Check))
	if c.greylist {
		seen, err := greylist.Open(filepath.Join(c.data, "greylist")) // as long as the process
		if err != nil {
			return nil, err
		}
		filters = append(filters, (&greylist.Greylist{Store: seen, Logger: s.log}).Filter)
	}
	if c.spamd != "" {
		filters = append(filters, mailparts.OnData((&spamd.Client{Addr: string(c.spamd), Logger: s.log}).Wrap))
	}
	return filters, nil
}
