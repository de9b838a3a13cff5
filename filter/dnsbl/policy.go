package dnsbl

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// The attributes that the Envelope of a listed sender has.
const (
	AttrScore = "dnsbl.score" // "3"
	AttrLists = "dnsbl.lists" // "bad.example.com good.example.com"
)

// Admit is for smtp.Server.Admit: it refuses peers by address. The server calls it
// each time that it knows the peer better, and it asks each time.
func (c *Checker) Admit(ctx context.Context, p *mailparts.Peer) error {
	if addr, ok := c.stranger(p); ok {
		return c.refusal(c.Check(ctx, addr, ""))
	}
	return nil
}

// Mail is for mailparts.OnMail: it refuses senders by address and domain, and
// marks the messages of those who are listed but may pass.
func (c *Checker) Mail(ctx context.Context, env *mailparts.Envelope) error {
	if env.Peer == nil {
		return nil
	}
	addr, ok := c.stranger(env.Peer)
	if !ok {
		return nil
	}
	r := c.Check(ctx, addr, env.From.Domain())
	if err := c.refusal(r); err != nil {
		return err
	}
	if r.Listings != nil {
		env.Attrs = r.mark(env.Attrs)
	}
	return nil
}

// stranger is the address of a peer whom the lists are asked about.
func (c *Checker) stranger(p *mailparts.Peer) (addr netip.Addr, ok bool) {
	addr = p.Client()
	exempt := slices.ContainsFunc(c.Exempt, func(net netip.Prefix) bool { return net.Contains(addr) })
	return addr, !exempt && p.User == "" && !p.Trusted
}

// refusal is nil for who may pass.
func (c *Checker) refusal(r Result) error {
	if limit := cmp.Or(c.Threshold, defaultThreshold); limit < 0 || r.Score < limit {
		return nil
	}
	var why []string
	for _, l := range r.Listings {
		if l.weight() < 0 {
			continue
		}
		line := l.Subject + " is listed by " + zone(&l.List)
		if l.Reason != "" {
			line += ": " + l.Reason
		}
		why = append(why, printable(line))
	}
	return &mailparts.Error{Code: 554, Status: "5.7.1", Message: strings.Join(why, "\n")}
}

// mark is attrs with r; attrs itself stays as it is.
func (r Result) mark(attrs map[string]string) map[string]string {
	marked := maps.Clone(attrs)
	if marked == nil {
		marked = map[string]string{}
	}
	var zones []string
	for _, l := range r.Listings {
		zones = append(zones, zone(&l.List))
	}
	marked[AttrScore] = strconv.Itoa(r.Score)
	marked[AttrLists] = strings.Join(zones, " ")
	return marked
}
